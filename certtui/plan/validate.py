"""Validates flat values against the declaration: every problem at once, none invented twice."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from certtui.plan import fields
from certtui.plan.fields import Field, Kind
from certtui.plan.model import VERSION
from certtui.plan.values import quoted, text_problem

#: (dotted key, sentence); a key inside ``certbot.env`` is ``certbot.env.NAME``.
Found = tuple[str, str]


def problems(answers: Mapping[str, Any]) -> list[Found]:
    """Every problem of flat dotted values; missing keys count as their defaults."""
    found = [problem for field in fields.FIELDS for problem in _of_field(field, answers)]
    wrong = {key for key, _ in found}
    complete = {**fields.defaults(), **answers}
    found += [problem for problem in _between(complete) if problem[0] not in wrong]
    return found


def version_problem(value: object) -> str:
    """Why a plan's ``version`` cannot be read, or ""."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        return f"must be {VERSION}"
    if value > VERSION:
        return (
            f"is {value}, from a newer certtui; this one reads up to {VERSION}: "
            "upgrade certtui on this host"
        )
    return ""


def nearest(name: str, known: list[str]) -> str:
    """The known name most like another, or "" if none is."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return close[0] if close else ""


def unknown_key(path: tuple[str, ...]) -> str:
    """The sentence for a key or table that does not exist, with the nearest that does."""
    dotted = ".".join(path)
    sections = sorted({field.section for field in fields.FIELDS})
    if len(path) == 1:
        candidates = [*sections, "version"]
        moved = [field.key for field in fields.FIELDS if field.name == path[0]]
        guess = nearest(path[0], candidates) or (moved[0] if moved else "")
    else:
        same = [field.key for field in fields.FIELDS if field.section == path[0]]
        moved = [field.key for field in fields.FIELDS if field.name == path[-1]]
        guess = nearest(dotted, same) or (
            moved[0] if moved else nearest(dotted, list(fields.BY_KEY))
        )
    if guess:
        return f"unknown key; did you mean {guess}?"
    known = ", ".join(field.name for field in fields.FIELDS if field.section == path[0])
    return f"unknown key; known are {known or ', '.join(sections)}"


def _of_field(field: Field, answers: Mapping[str, Any]) -> Iterator[Found]:
    if field.key not in answers:
        return
    value = answers[field.key]
    wrong = type_problem(field, value)
    if wrong:
        yield field.key, wrong
    elif field.kind is Kind.MAPPING:
        for name, content in value.items():
            problem = field.check({name: content})
            if problem:
                yield f"{field.key}.{name}", problem
    else:
        problem = _content_problem(field, value)
        if problem:
            yield field.key, problem


def type_problem(field: Field, value: object) -> str:
    """Why a value is not of the field's kind, or ""."""
    if field.kind is Kind.INTEGER:
        good = isinstance(value, int) and not isinstance(value, bool)
        allowed = f"a whole number from {field.minimum} to {field.maximum}"
    elif field.kind is Kind.BOOLEAN:
        good, allowed = isinstance(value, bool), "true or false"
    elif field.kind is Kind.STRINGS:
        good = isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
        allowed = 'a list of strings such as ["one", "two"]'
    elif field.kind is Kind.MAPPING:
        good = isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())
        allowed = 'a table of strings such as NAME = "value"'
    elif field.kind is Kind.CHOICE:
        good, allowed = isinstance(value, str), _one_of(field)
    else:
        good, allowed = isinstance(value, str), "a string"
    return "" if good else f"is {show(value)}; it must be {allowed}"


def _content_problem(field: Field, value: Any) -> str:
    strings = value if field.kind is Kind.STRINGS else [value] if isinstance(value, str) else []
    for item in strings:
        problem = text_problem(item)
        if problem:
            return problem
    if field.kind is Kind.CHOICE and value not in {choice.value for choice in field.choices}:
        guess = nearest(value, [choice.value for choice in field.choices])
        hint = f"; did you mean {guess!r}?" if guess else ""
        return f"is {show(value)}; it must be {_one_of(field)}{hint}"
    if field.kind is Kind.INTEGER and not field.minimum <= value <= field.maximum:
        allowed = f"a whole number from {field.minimum} to {field.maximum}"
        return f"is {show(value)}; it must be {allowed}"
    return field.check(tuple(value) if isinstance(value, list) else value)


def _between(answers: Mapping[str, Any]) -> Iterator[Found]:
    """What single values cannot show: answers that do not go together."""
    backend = answers["schedule.backend"]
    if answers["webserver.kind"] == "custom" and not answers["webserver.command"]:
        yield (
            "webserver.command",
            'is empty but kind = "custom" needs it: the reload as ["program", "argument"]',
        )
    for key in ("webserver.test", "webserver.command"):
        argv = answers[key]
        if isinstance(argv, (list, tuple)) and argv and not _is_program(argv[0]):
            yield key, f"{quoted(argv[0])} is not a program; write a bare name or an absolute path"
        elif argv and answers["webserver.kind"] != "custom":
            yield key, 'has no effect: it is for kind = "custom" only; write []'
    if answers["schedule.times"] and backend in ("at-block", "at-random"):
        yield (
            "schedule.times",
            f'fixed times are for cron and systemd-timer; backend is "{backend}"',
        )
    cap, runs = answers["schedule.daily_cap"], answers["schedule.runs_per_day"]
    if backend == "at-random" and isinstance(cap, int) and isinstance(runs, int) and cap < runs:
        yield "schedule.daily_cap", f"is {cap} but runs_per_day is {runs}; make it at least {runs}"


def _is_program(name: object) -> bool:
    if not isinstance(name, str) or not name or name.startswith("-") or "=" in name:
        return False
    return name.startswith("/") or "/" not in name


def _one_of(field: Field) -> str:
    return "one of " + ", ".join(f'"{choice.value}"' for choice in field.choices)


def show(value: object) -> str:
    """A value as TOML would spell it, short enough for a sentence."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = '"' + value.encode("unicode_escape").decode("ascii") + '"'
    else:
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
