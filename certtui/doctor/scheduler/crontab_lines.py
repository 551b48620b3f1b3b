"""Lines of a file in /etc/cron.d as cron reads them (crontab(5)): one bad one drops it all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

#: name, least, most, and the numbers that names stand for.
_FIELDS: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 7, {name: number for number, name in enumerate(_DAYS)}),
)

_NICKNAMES = frozenset(
    ("@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
)

_SETTING = re.compile(r"""\s*("[^"]*"|'[^']*'|[^\s="']+)\s*=\s*(.*)""")
_ITEM = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/([0-9]+))?")


@dataclass(frozen=True)
class Line:
    """One line that counts. ``problem`` is a sentence, or "" if cron takes it.

    A setting has ``name`` and ``value``, a job ``user`` and ``command``.
    """

    number: int
    text: str
    problem: str = ""
    name: str = ""
    value: str = ""
    user: str = ""
    command: str = ""


def lines(text: str, has_user: bool = True) -> Iterator[Line]:
    """Every line but comments and empty ones; those of a person's crontab name no user."""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(" \t")
        if line and not line.startswith("#"):
            yield _line(number, line, has_user)


def _line(number: int, line: str, has_user: bool) -> Line:
    setting = _SETTING.fullmatch(line)
    if setting:
        value = setting[2].rstrip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        return Line(number, line, name=setting[1].strip("\"'"), value=value)
    count = 1 if line.startswith("@") else len(_FIELDS)
    words = line.split(None, count + has_user)
    problem = _time_problem(words, count)
    first = count + has_user  # word of the command
    user = words[count] if has_user and len(words) > count else ""
    command = words[first] if len(words) > first else ""
    if not problem and has_user and not user:
        problem = "names no user: files in /etc/cron.d have one after the times"
    elif not problem and not command:
        problem = f"has no command after the {'user' if has_user else 'times'}"
    return Line(number, line, problem, user=user, command=command)


def _time_problem(words: list[str], count: int) -> str:
    if count == 1:
        return "" if words[0].lower() in _NICKNAMES else f"{words[0]} is no time that cron knows"
    if len(words) < count:
        return "has less than five fields of time"
    for word, (name, least, most, names) in zip(words, _FIELDS, strict=False):
        if not all(_fits(item, least, most, names) for item in word.lower().split(",")):
            return f"{word} is no {name}"
    return ""


def _fits(item: str, least: int, most: int, names: Mapping[str, int]) -> bool:
    match = _ITEM.fullmatch(item)
    if match is None or (match[1] == "*" and match[2]):
        return False
    if match[3] and int(match[3]) == 0:
        return False
    numbers = [_number(word, names) for word in (match[1], match[2]) if word and word != "*"]
    if any(number is None or not least <= number <= most for number in numbers):
        return False
    return len(numbers) < 2 or (numbers[0] or 0) <= (numbers[1] or 0)


def _number(word: str, names: Mapping[str, int]) -> int | None:
    return int(word) if word.isdigit() else names.get(word)
