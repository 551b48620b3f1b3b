"""The mutation table: how a host is broken in silence, and what doctor has to say of it.

The rows are data: ``mutations/*.toml``, a table a row. Each breaks a booted host on which a plan
was applied in exactly one way. Doctor must then name it by the row's id and say nothing else that
is new, and the command that it prints must make the finding go away. Hosts are shared by the rows
of one schedule and web server: a row whose host does not get well again costs the next one a new
host.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from tests.host import server
from tests.host.machine import Machine
from tests.host.schedules import SCHEDULES, Schedule, applied, quiet
from tests.host.web import WEBS, Web

FOLDER = Path(__file__).with_name("mutations")

_SCHEDULES = {str(schedule): schedule for schedule in SCHEDULES}
_SEVERITIES = {"fail": "FAIL", "warn": "warn"}

Keep = Callable[[subprocess.CompletedProcess[str], str], None]


@dataclass(frozen=True)
class Mutation:
    """One row: lines for ``sh -ec``, and what doctor has to say. ``id`` "" means harmless.

    ``mends`` is how many of the printed commands are run, one look after the other. ``mend`` stands
    in where no command can be printed, ``after`` takes away what the break has left besides.
    """

    name: str
    schedule: Schedule
    web: Web
    breaks: tuple[str, ...]
    id: str
    severity: str = "fail"
    mends: int = 1
    mend: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def tables() -> list[str]:
    """The names of the files."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def rows(table: str) -> list[Mutation]:
    """The rows of a file. Raises KeyError, ValueError for what is no row."""
    text = (FOLDER / f"{table}.toml").read_text("utf-8")
    return [_row(name, values) for name, values in tomlkit.parse(text).unwrap().items()]


def _row(name: str, table: Mapping[str, Any]) -> Mutation:
    known = {"schedule", "web", "break", "id", "severity", "mends", "mend", "after"}
    if set(table) - known:
        raise ValueError(f"{name}: unknown keys {sorted(set(table) - known)}")
    return Mutation(
        name=name,
        schedule=_SCHEDULES[table["schedule"]],
        web=WEBS[table.get("web", "nginx")],
        breaks=tuple(table["break"]),
        id=table["id"],
        severity=_SEVERITIES[table.get("severity", "fail")],
        mends=table.get("mends", 1),
        mend=tuple(table.get("mend", ())),
        after=tuple(table.get("after", ())),
    )


@dataclass(frozen=True)
class Seen:
    """What doctor printed: each finding that is no ``ok`` and no ``skip``, and its mend."""

    code: int
    findings: frozenset[tuple[str, str]]  # id, word
    mends: Mapping[str, str]
    text: str


_HEAD = re.compile(r"^  (CRASH|FAIL|warn) ", re.MULTILINE)


def look(host: Machine, keep: Keep) -> Seen:
    """One ``certtui doctor``, read as a person reads it."""
    done = host.certtui("doctor")
    keep(done, "certtui doctor")
    _, *parts = _HEAD.split(done.stdout)
    findings, mends = set(), {}
    for word, rest in zip(parts[::2], parts[1::2], strict=True):
        (id,) = re.findall(r"^         id:   (\S+)", rest, re.MULTILINE)[:1]
        findings.add((id, word))
        for command in re.findall(r"^         mend: (.+)$", rest, re.MULTILINE)[:1]:
            mends[id] = command
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return Seen(done.returncode, frozenset(findings), mends, done.stdout + done.stderr)


@dataclass
class Hosts:
    """Booted hosts on which a plan was applied, one a schedule and web server."""

    boot: Callable[..., Machine]
    known: dict[tuple[Schedule, Web], Machine] = field(default_factory=dict)

    def well(self, row: Mutation, keep: Keep) -> Machine:
        """A host of which doctor has nothing to say."""
        kind = (row.schedule, row.web)
        if kind not in self.known:
            host = self.boot(quiet(row.schedule), web=row.web)
            server.make_due(host, server.DUE, due=False)
            applied(host, row.schedule, web=row.web)
            seen = look(host, keep)
            assert (seen.code, seen.findings) == (0, frozenset()), seen.text
            self.known[kind] = host
        return self.known[kind]

    def spoil(self, row: Mutation) -> None:
        """The next row of this kind needs a new host."""
        self.known.pop((row.schedule, row.web)).close()


def examine(hosts: Hosts, row: Mutation, keep: Keep) -> None:
    """Breaks a host as a row says, and holds doctor to it."""
    host = hosts.well(row, keep)
    try:
        _examine(host, row, keep)
    except BaseException:
        hosts.spoil(row)
        raise


def _examine(host: Machine, row: Mutation, keep: Keep) -> None:
    _shell(host, row.breaks, keep)
    ill = look(host, keep)
    expected = {(row.id, row.severity)} if row.id else set()
    assert ill.findings == expected, ill.text
    assert ill.code == (1 if row.severity == "FAIL" and row.id else 0), ill.text
    if row.id:
        seen = ill
        for _ in range(row.mends):
            _shell(host, row.mend or tuple(_printed(seen)), keep)
            seen = look(host, keep)
        assert (seen.code, seen.findings) == (0, frozenset()), seen.text
    _shell(host, row.after, keep)


def _printed(seen: Seen) -> Iterator[str]:
    """The command of the one finding, exactly as it was printed."""
    assert len(seen.mends) == 1, f"one mend was to be printed:\n{seen.text}"
    yield from seen.mends.values()


def _shell(host: Machine, lines: tuple[str, ...], keep: Keep) -> None:
    for line in lines:
        keep(host.run(["sh", "-ec", line], timeout=180), line)
