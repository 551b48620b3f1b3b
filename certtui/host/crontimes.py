"""When a line of a crontab is started next (crontab(5))."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

#: least and most of each field, and the numbers that names stand for.
_FIELDS: tuple[tuple[int, int, Mapping[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    (0, 7, {name: number for number, name in enumerate(_DAYS)}),
)

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

#: Days that are looked ahead: the 29th of February comes every four years, or eight.
_AHEAD = 8 * 366


def following(when: Sequence[str], now: datetime) -> datetime | None:
    """The first minute after ``now`` (aware) that a line means, in UTC, by this host's local time.

    ``when`` are the five fields, or one nickname. None for "@reboot", for a date that never comes,
    and for what cron would not take.
    """
    if len(when) == 1:
        when = _NICKNAMES.get(when[0].lower(), "").split()
    if len(when) != len(_FIELDS):
        return None
    try:
        minutes, hours, days, months, weekdays = map(_numbers, when, _FIELDS)
    except ValueError:
        return None
    either = not when[2].startswith("*") and not when[4].startswith("*")
    for day in _days(now.astimezone().date()):
        if day.month not in months:
            continue
        fits = (day.day in days, day.isoweekday() % 7 in weekdays)
        # Where both are restricted, one of them is enough.
        if any(fits) if either else all(fits):
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    wall = datetime(day.year, day.month, day.day, hour, minute)
                    moment = wall.astimezone(timezone.utc)
                    if moment > now:
                        return moment
    return None


#: The longest time between two runs of what runs every week, an hour more for a clock that changes.
_WEEK = timedelta(days=7, hours=1)
_SEVERAL = 10  # runs that are looked ahead: a line may mean the first week of a month


def is_rare(when: Sequence[str], now: datetime) -> bool:
    """Whether a line is started less often than every week, or at boots only."""
    moment = now
    for _ in range(_SEVERAL):
        after = following(when, moment)
        if after is None or after - moment > _WEEK:
            return True
        moment = after
    return False


def _days(first: date) -> Iterator[date]:
    return (first + timedelta(days=ahead) for ahead in range(_AHEAD))


def _numbers(field: str, kind: tuple[int, int, Mapping[str, int]]) -> set[int]:
    """The numbers of one field. Raises ValueError."""
    least, most, names = kind
    found: set[int] = set()
    for item in field.lower().split(","):
        span, slash, step = item.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = least, most
        else:
            begin = _number(first, names)
            end = _number(last, names) if dash else (most if slash else begin)
        if not least <= begin <= end <= most or (slash and int(step) < 1):
            raise ValueError(field)
        found.update(range(begin, end + 1, int(step) if slash else 1))
    if most == 7 and 7 in found:  # Sunday is 0 and 7
        found.add(0)
    return found


def _number(word: str, names: Mapping[str, int]) -> int:
    return names[word] if word in names else int(word)
