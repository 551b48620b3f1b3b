"""Findings for people and as the JSON of the contract."""

from __future__ import annotations

import shlex
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from certtui.doctor import registry
from certtui.doctor.check import is_hidden, is_needless
from certtui.doctor.finding import Finding, Status
from certtui.errors import ExitCode
from certtui.host.visible import visible

#: Worst first. A word is enough to tell them apart; colour only helps.
_ORDER = (Status.CRASH, Status.FAIL, Status.WARN, Status.SKIP, Status.OK)
_WORDS = {Status.CRASH: "CRASH", Status.FAIL: "FAIL"}
_COLOURS = {Status.CRASH: "31", Status.FAIL: "31", Status.WARN: "33", Status.OK: "32"}

#: Lines of evidence that are shown; the JSON has them all.
_MOST_LINES = 6

#: Findings of one kind that are shown where nothing is wrong: a host may have 10,000 certificates.
_MOST_WELL = 10

_INDENT = " " * 9


def exit_code(findings: Sequence[Finding]) -> ExitCode:
    """1 only for a failure or a check that broke."""
    bad = any(finding.status in (Status.FAIL, Status.CRASH) for finding in findings)
    return ExitCode.FAILED if bad else ExitCode.OK


def to_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The shape of ``doctor --json`` (docs/doctor.schema.json)."""
    count = Counter(finding.status for finding in findings)
    return {
        "counts": {status.value: count[status] for status in _ORDER},
        "findings": [_finding_json(finding) for finding in findings],
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    fix = finding.fix
    return {
        "id": finding.id,
        "status": finding.status.value,
        "subject": finding.subject,
        "message": finding.message,
        "evidence": finding.evidence,
        "expected": finding.expected,
        "why": finding.why,
        "fix": {"argv": list(fix.argv), "safe": fix.safe} if fix else None,
        "docs": finding.docs,
        "seconds": finding.seconds,
    }


def text(findings: Sequence[Finding], *, colour: bool, width: int = 0) -> str:
    """Groups with the worst first, under each finding that is not ok what was seen and the mend.

    Prose is broken into lines of ``width`` columns, with 0 not at all; commands and evidence never.
    """
    groups: dict[str, list[Finding]] = {}
    for finding in ranked(findings):
        groups.setdefault(_group_of(finding), []).append(finding)
    lines: list[str] = []
    needless = []
    for group, members in groups.items():
        shown = [member for member in members if not is_needless(member)]
        if shown:
            lines += [group, *_group(shown, colour, width), ""]
        else:
            needless.append(group)
    if needless:
        lines += [f"not needed with this plan: {', '.join(needless)}", ""]
    lines.append(summary(findings))
    return "\n".join(lines) + "\n"


def _group_of(finding: Finding) -> str:
    return finding.id.partition(".")[0]


def _group(members: Sequence[Finding], colour: bool, width: int) -> Iterator[str]:
    """The findings of a group; of many that are well or skipped the first ones, and a count."""
    shown: Counter[tuple[str, Status]] = Counter()
    hidden: Counter[tuple[str, Status]] = Counter()
    for member in members:
        kind = (member.id, member.status)
        if member.status in (Status.OK, Status.SKIP) and shown[kind] >= _MOST_WELL:
            hidden[kind] += 1
            continue
        shown[kind] += 1
        yield from _lines(member, colour, width)
    for (id, status), count in hidden.items():
        yield f"  {_padded(status, colour)}  {count:,} more (certtui doctor --only {id} --json)"


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first, else in the order in which a person would look."""
    return sorted(findings, key=lambda finding: _ORDER.index(finding.status))


def word(finding: Finding) -> str:
    """How bad it is, in a word."""
    return _word(finding.status)


def _word(status: Status) -> str:
    return _WORDS.get(status, status.value)


def sentence(finding: Finding) -> str:
    """What is said about what."""
    subject = f"{finding.subject}: " if finding.subject else ""
    return visible(f"{subject}{finding.message}")


def _lines(finding: Finding, colour: bool, width: int) -> Iterator[str]:
    said = _wrapped(sentence(finding), width)
    yield f"  {_padded(finding.status, colour)}  {said[0]}"
    yield from (f"{_INDENT}{line}" for line in said[1:])
    if finding.status is Status.OK:
        return
    if finding.status is not Status.SKIP:
        yield f"{_INDENT}id:   {finding.id} ({finding.docs})"
        yield from _evidence(finding.evidence)
        yield from _field("want", finding.expected, width)
        yield from _field("why", finding.why, width)
    if finding.fix:
        yield f"{_INDENT}mend: {visible(shlex.join(finding.fix.argv))}"


def _padded(status: Status, colour: bool) -> str:
    code = _COLOURS.get(status, "")
    padded = f"{_word(status):<5}"
    return f"\033[{code}m{padded}\033[0m" if colour and code else padded


def _field(name: str, value: str, width: int) -> Iterator[str]:
    if value:
        first, *rest = _wrapped(visible(value), width, 6)
        yield f"{_INDENT}{name + ':':<5} {first}"
        yield from (f"{_INDENT}      {line}" for line in rest)


def _wrapped(prose: str, width: int, indent: int = 0) -> list[str]:
    room = width - len(_INDENT) - indent
    if room < 20:
        return [prose]
    return textwrap.wrap(prose, room, break_long_words=False, break_on_hyphens=False) or [""]


def _evidence(evidence: str) -> Iterator[str]:
    lines = evidence.splitlines()
    for number, line in enumerate(lines[:_MOST_LINES]):
        yield f"{_INDENT}{'seen:' if number == 0 else '     '} {visible(line)}"
    if len(lines) > _MOST_LINES:
        yield f"{_INDENT}      ({len(lines) - _MOST_LINES} more lines: certtui doctor --json)"


def summary(findings: Sequence[Finding]) -> str:
    """One line: how many of each, worst first."""
    count = Counter(finding.status for finding in findings)
    counts = [f"{count[status]} {_word(status)}" for status in _ORDER if count[status]]
    hidden = sum(is_hidden(finding) for finding in findings)
    rest = f"; {hidden} need{'s' if hidden == 1 else ''} root: sudo certtui doctor"
    listed = ", ".join(counts) + (rest if hidden else "")
    if all(finding.status is Status.SKIP for finding in findings):
        return f"nothing was looked at{': ' if listed else ''}{listed}"
    if exit_code(findings) is not ExitCode.OK:
        return f"not healthy: {listed}"
    return f"{'no failure seen' if hidden else 'healthy'}: {listed}"


def headline(findings: Sequence[Finding]) -> str:
    """The same as words for the head of a page: "3 problems, 2 warnings, 31 well"."""
    count = Counter(finding.status for finding in findings)
    problems, warnings = count[Status.FAIL] + count[Status.CRASH], count[Status.WARN]
    parts = [
        f"{problems or 'no'} problem{'s' * (problems != 1)}",
        f"{warnings or 'no'} warning{'s' * (warnings != 1)}",
        f"{count[Status.OK]} well",
    ]
    hidden = sum(is_hidden(finding) for finding in findings)
    if hidden:
        parts.append(f"{hidden} need{'s' * (hidden == 1)} root")
    if count[Status.SKIP] > hidden:
        parts.append(f"{count[Status.SKIP] - hidden} skipped")
    return ", ".join(parts)


def listing_json() -> dict[str, Any]:
    """The shape of ``doctor --list --json``."""
    return {
        "checks": [
            {
                "id": kind.id,
                "severity": kind.severity.value,
                "expected": kind.expected,
                "why": kind.why,
                "docs": kind.ok("", "").docs,
            }
            for kind in registry.kinds()
        ]
    }


def listing() -> str:
    """Every id with its usual severity and what is expected."""
    kinds = registry.kinds()
    width = max(len(kind.id) for kind in kinds)
    return "".join(
        f"{kind.id:<{width}}  {kind.severity.value}  {kind.expected}\n" for kind in kinds
    )
