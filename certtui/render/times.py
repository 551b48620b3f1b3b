"""When a plan's runs happen: derived from the host, so that a fleet spreads and nothing moves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone

from certtui.host.facts import Facts
from certtui.plan.model import Plan
from certtui.render import places, spread
from certtui.render.slots import slots

DAY = 24 * 60

#: Between the minute of an at job and the moment at which its script has queued the next one.
AT_WORK = timedelta(minutes=2)


@dataclass(frozen=True)
class Run:
    """One run that will happen, aware UTC; ``latest`` equals ``earliest`` where it is exact."""

    earliest: datetime
    latest: datetime


def daily_minutes(plan: Plan, facts: Facts) -> tuple[int, ...]:
    """Minutes after midnight, ascending, at which cron or a timer starts our script.

    Local time for cron and fixed times, else UTC. Without fixed times they are evenly spread from a
    base that the machine id and the unit's name give, so that hosts differ and a second apply
    changes nothing. For at-block these are the beginnings of its blocks, for at-random those of the
    hours in which the anchor looks after the chain.
    """
    if plan.schedule.times:
        return tuple(sorted(int(t[:2]) * 60 + int(t[3:]) for t in plan.schedule.times))
    base = spread.number(plan, facts) % DAY
    count = 24 if plan.schedule.backend == "at-random" else plan.schedule.runs_per_day
    return tuple(sorted((base + k * DAY // count) % DAY for k in range(count)))


def second(plan: Plan, facts: Facts) -> int:
    """The second within the minute at which a timer elapses; 0 for fixed times and cron."""
    if plan.schedule.times or plan.schedule.backend != "systemd-timer":
        return 0
    return spread.number(plan, facts) // DAY % 60


def random_delay(plan: Plan) -> int:
    """Seconds of a timer's RandomizedDelaySec: an hour, but never more than half a block."""
    if plan.schedule.times or plan.schedule.backend != "systemd-timer":
        return 0
    return min(3600, 86400 // plan.schedule.runs_per_day // 2)


def next_runs(plan: Plan, facts: Facts, now: datetime, count: int = 5) -> tuple[Run, ...]:
    """The next ``count`` runs after ``now`` (aware), by this process's local time zone.

    A timer's window that has begun still counts, as the run in it may be to come.
    """
    if places.at_script(plan):
        drawn = slots(plan, facts)
        # A change of the clocks may make two slots due at once: one run is for both.
        moments = (moment for moment, _ in itertools.groupby(map(drawn.run, drawn.after(now))))
        return tuple(Run(moment, moment) for moment in itertools.islice(moments, count))
    delay = timedelta(seconds=random_delay(plan))
    found: list[Run] = []
    for start in _starts(plan, facts, now):
        if start + delay > now:
            found.append(Run(start, start + delay))
        if len(found) == count:
            break
    return tuple(found)


def expected_job(plan: Plan, facts: Facts, now: datetime) -> datetime | None:
    """The minute (aware, UTC) of the at job that must be queued at ``now`` (aware).

    None for backends without at, and for at-block when the run of this block is over: the trigger
    queues the next one as the next block begins.
    """
    if not places.at_script(plan):
        return None
    drawn = slots(plan, facts)
    following = next(drawn.after(now))
    if drawn.whole and not drawn.begun(following, now):
        return None
    return drawn.moment(drawn.time(following))


def settled_job(plan: Plan, facts: Facts, now: datetime) -> datetime | None:
    """:func:`expected_job`, but None while a run begins: its script is about to queue the next."""
    job = expected_job(plan, facts, now)
    if job is None or job - now < AT_WORK:
        return None  # the queue was not read in the same second
    return job if job == expected_job(plan, facts, now - AT_WORK) else None


def longest_gap(plan: Plan, facts: Facts) -> timedelta:
    """The longest time between two runs by the schedule alone, where the clocks do not change."""
    length = -(-DAY // plan.schedule.runs)
    if plan.schedule.backend == "at-block":
        return timedelta(minutes=2 * length)
    if plan.schedule.backend == "at-random":
        return timedelta(minutes=length + slots(plan, facts).jitter)
    minutes = daily_minutes(plan, facts)
    following = [*minutes[1:], minutes[0] + DAY]
    gap = max(later - one for one, later in zip(minutes, following, strict=True))
    return timedelta(minutes=gap, seconds=random_delay(plan))


def _starts(plan: Plan, facts: Facts, now: datetime) -> Iterator[datetime]:
    """Every start from yesterday on, ascending, in UTC, without end."""
    minutes = daily_minutes(plan, facts)
    local = plan.schedule.backend == "cron" or bool(plan.schedule.times)
    today = (now.astimezone() if local else now.astimezone(timezone.utc)).date()
    seconds = second(plan, facts)
    for ahead in itertools.count(-1):
        day = today + timedelta(days=ahead)
        at = [datetime.combine(day, time(m // 60, m % 60, seconds)) for m in minutes]
        if local:
            yield from sorted(
                moment
                for wall in at
                if (moment := _utc(wall, plan.schedule.backend == "cron")) is not None
            )
        else:
            yield from (moment.replace(tzinfo=timezone.utc) for moment in at)


def _utc(wall: datetime, made_up: bool) -> datetime | None:
    """A local wall-clock time in UTC; of one that happens twice, the first.

    One that a change of the clocks leaves out is skipped by systemd (systemd.time(7)); cron makes
    up for it as soon as the clock has changed (cron(8), "made_up").
    """
    moment = wall.astimezone(timezone.utc)
    if moment.astimezone().replace(tzinfo=None) == wall:
        return moment
    if not made_up:
        return None
    # The change is near: no zone leaves out more than an hour or two.
    probe = moment - timedelta(hours=3)
    offset = probe.astimezone().utcoffset()
    while probe.astimezone().utcoffset() == offset:
        probe += timedelta(minutes=1)
    return probe.replace(second=0)
