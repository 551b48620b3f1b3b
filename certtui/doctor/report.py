"""Findings for people and as the JSON of the contract."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from certtui.doctor import registry
from certtui.doctor.check import is_hidden
from certtui.doctor.finding import Finding, Status
from certtui.errors import ExitCode
from certtui.host.visible import visible

#: Worst first. A word is enough to tell them apart; colour only helps.
_ORDER = (Status.CRASH, Status.FAIL, Status.WARN, Status.SKIP, Status.OK)
_WORDS = {Status.CRASH: "CRASH", Status.FAIL: "FAIL"}
_COLOURS = {Status.CRASH: "31", Status.FAIL: "31", Status.WARN: "33", Status.OK: "32"}

#: Lines of evidence that are shown; the JSON has them all.
_MOST_LINES = 6


def exit_code(findings: Sequence[Finding]) -> ExitCode:
    """1 only for a failure or a check that broke."""
    bad = any(finding.status in (Status.FAIL, Status.CRASH) for finding in findings)
    return ExitCode.FAILED if bad else ExitCode.OK


def to_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The shape of ``doctor --json``."""
    return {"findings": [_finding_json(finding) for finding in findings]}


def _finding_json(finding: Finding) -> dict[str, Any]:
    fix = finding.fix
    return {
        "id": finding.id,
        "status": finding.status.value,
        "subject": finding.subject,
        "message": finding.message,
        "evidence": finding.evidence,
        "expected": finding.expected,
        "fix": {"argv": list(fix.argv), "safe": fix.safe} if fix else None,
    }


def text(findings: Sequence[Finding], *, colour: bool) -> str:
    """Groups with the worst first, under each finding that is not ok what was seen and the mend."""
    groups: dict[str, list[Finding]] = {}
    for finding in ranked(findings):
        groups.setdefault(finding.id.partition(".")[0], []).append(finding)
    lines: list[str] = []
    for group, members in groups.items():
        lines += [group, *(line for member in members for line in _lines(member, colour)), ""]
    lines.append(summary(findings))
    return "\n".join(lines) + "\n"


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first, else in the order in which a person would look."""
    return sorted(findings, key=lambda finding: _ORDER.index(finding.status))


def word(finding: Finding) -> str:
    """How bad it is, in a word."""
    return _WORDS.get(finding.status, finding.status.value)


def sentence(finding: Finding) -> str:
    """What is said about what."""
    subject = f"{finding.subject}: " if finding.subject else ""
    return visible(f"{subject}{finding.message}")


def _lines(finding: Finding, colour: bool) -> Iterator[str]:
    code = _COLOURS.get(finding.status, "")
    padded = f"{word(finding):<5}"
    shown = f"\033[{code}m{padded}\033[0m" if colour and code else padded
    yield f"  {shown}  {sentence(finding)}"
    if finding.status is Status.OK:
        return
    if finding.status is not Status.SKIP:
        yield f"         id:   {finding.id}"
        yield from _evidence(finding.evidence)
        yield f"         want: {visible(finding.expected)}"
    if finding.fix:
        yield f"         mend: {visible(shlex.join(finding.fix.argv))}"


def _evidence(evidence: str) -> Iterator[str]:
    lines = evidence.splitlines()
    for number, line in enumerate(lines[:_MOST_LINES]):
        yield f"         {'seen:' if number == 0 else '     '} {visible(line)}"
    if len(lines) > _MOST_LINES:
        yield f"               ({len(lines) - _MOST_LINES} more lines: certtui doctor --json)"


def summary(findings: Sequence[Finding]) -> str:
    """One line: how many of each, worst first."""
    counts = [
        f"{count} {_WORDS.get(status, status.value)}"
        for status in _ORDER
        if (count := sum(finding.status is status for finding in findings))
    ]
    hidden = sum(is_hidden(finding) for finding in findings)
    rest = f"; {hidden} need{'s' if hidden == 1 else ''} root: sudo certtui doctor"
    listed = (", ".join(counts) or "nothing was looked at") + (rest if hidden else "")
    if exit_code(findings) is not ExitCode.OK:
        return f"not healthy: {listed}"
    return f"{'no failure seen' if hidden else 'healthy'}: {listed}"


def headline(findings: Sequence[Finding]) -> str:
    """The same as words for the head of a page: "3 problems, 2 warnings, 31 well"."""
    count = {status: sum(one.status is status for one in findings) for status in Status}
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


def listing() -> str:
    """Every id with its usual severity and what is expected."""
    kinds = registry.kinds()
    width = max(len(kind.id) for kind in kinds)
    return "".join(
        f"{kind.id:<{width}}  {kind.severity.value}  {kind.expected}\n" for kind in kinds
    )
