"""A simulated host for the at backends: the real rendered script under dash, everything else timed.

The programs the script asks are stand-ins on its PATH (``standins/``), which read the simulated
clock and keep atd's spool; certbot-renew-everything is one, too. A trigger made from the rendered
files (``triggers.py``) and a simulated atd start it. Minutes are UTC minutes since 1970 as this
host's clock shows them.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import IO

from certtui.host.facts import Facts
from certtui.plan.model import Plan
from certtui.render import build, places
from certtui.render.places import Places
from tests.render import triggers
from tests.render.triggers import DAY, Start, Zone

STANDINS = Path(__file__).parent / "standins"


@dataclass(frozen=True)
class Ran:
    """A start of certbot-renew-everything, and what it was told started it."""

    minute: int
    trigger: str


class Simulation:
    """A host with one rendered at backend. ``look`` is called after each start or set of starts."""

    def __init__(self, folder: Path, plan: Plan, facts: Facts, zone: str, minute: int) -> None:
        self.folder, self.plan, self.facts = folder, plan, facts
        self.zone = Zone(zone)
        self.minute = minute
        self.sim, self.state = folder / "sim", folder / "state"
        self.spool = self.sim / "spool"
        for made in (self.spool, self.sim / "numbers", self.sim / "shown", folder / "sbin"):
            made.mkdir(parents=True)
        shutil.copytree(STANDINS, folder / "bin")
        shutil.move(folder / "bin/certbot-renew-everything", folder / "sbin")
        (self.sim / "zone").write_text(f"{zone}\n")
        where = Places(f"{folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin", str(self.state))
        rendered = build.render(plan, facts, plan_text=b"version = 1\n", where=where)
        self.script = Path(places.at_script(plan))
        for artifact in rendered.artifacts:
            if artifact.path == str(self.script):
                self.script.write_bytes(artifact.content)
                self.script.chmod(artifact.mode)
        self.trigger = triggers.made(rendered, self.zone)
        self.look: Callable[[list[Start]], None] = lambda _: None
        #: minutes that really passed, and at which of them host and atd are back
        self.passed = self.host_off = self.atd_off = 0
        #: each time the host was off: the minutes by its clock
        self.offs: list[tuple[int, int]] = []
        self.failed: list[tuple[int, str]] = []
        #: minute and number of further starts in it, as by another scheduler or by hand
        self.racing: dict[int, int] = {}
        #: of the trigger's starts, but at boot, only each so manieth is made
        self.every = 1
        self.counted = self.started = self._job_due = 0

    # ---- time ----------------------------------------------------------------------------------

    def boot(self) -> None:
        """The host starts in this minute. atd runs what is overdue beside what starts at boot."""
        jobs = self._due() if self.passed >= self.atd_off else ()
        self._start([*self.trigger.boot(self.minute), *jobs])

    def pass_minutes(self, count: int) -> None:
        for _ in range(count):
            self.minute += 1
            self.passed += 1
            if self.passed < self.host_off:
                continue
            if self.passed == self.host_off:
                self.boot()
                continue
            starts = self.trigger.tick(self.minute)
            if self.every > 1 and any(start.by == "anchor" for start in starts):
                self.counted += 1
                starts = [] if self.counted % self.every else starts
            if self.minute >= self._job_due and self.passed >= self.atd_off:
                starts = [*starts, *self._due()]
            if self.minute in self.racing:
                starts = [*starts, *[self._by_hand] * self.racing.pop(self.minute)]
            if starts:
                self._start(starts)

    def _due(self) -> Iterator[Start]:
        """Every job whose minute has come; atd marks it as running before it starts it."""
        self._job_due = self.minute + DAY
        for job in self.jobs():
            due = int(job.name[6:], 16)
            if job.name[0] != "=" and due <= self.minute:
                running = job.rename(job.with_name(f"={job.name[1:]}"))
                yield Start("job", ("/bin/sh",), {}, 1, running)
            else:
                self._job_due = min(self._job_due, due)

    # ---- what may go wrong ---------------------------------------------------------------------

    def turn_off(self, minutes: int) -> None:
        self.host_off = self.passed + minutes
        self.offs.append((self.minute, self.minute + minutes))

    def stop_atd(self, minutes: int) -> None:
        self.atd_off = self.passed + minutes

    def set_clock(self, minutes: int) -> None:
        self.minute += minutes

    def refuse(self) -> None:
        """at(1) fails the next time that it is to take a job."""
        (self.sim / "refusals").write_text("1\n")

    @property
    def refuses(self) -> bool:
        return bool(_lines(self.sim / "refusals"))

    def lose_job(self) -> None:
        """Somebody removes our job, or a restored spool lacks it."""
        for job in self.ours():
            job.unlink()

    def foreign_job(self, number: int, minute: int, line: str) -> Path:
        """Another program of root's has a job waiting in our queue."""
        job = self.spool / f"c{number:05x}{minute:08x}"
        job.write_text(f"#!/bin/sh\n# atrun uid=0 gid=0\n# mail root 0\numask 22\n{line}\n\n")
        (self.sim / "numbers" / str(number)).touch()
        return job

    # ---- what there is -------------------------------------------------------------------------

    def jobs(self) -> list[Path]:
        return [self.spool / name for name in os.listdir(self.spool)]

    def ours(self) -> list[Path]:
        """The waiting jobs that start our script."""
        line = f"\nexec {self.script} </dev/null\n"
        return [job for job in self.jobs() if job.name[0] != "=" and line in job.read_text()]

    def runs(self) -> list[Ran]:
        lines = _lines(self.sim / "runs")
        return [Ran(int(at) // 60, trigger) for at, trigger in (line.split() for line in lines)]

    def submitted(self) -> list[tuple[int, int]]:
        """For each job: the minute in which at(1) took it, and the minute it was for."""
        pairs = (line.split() for line in _lines(self.sim / "submitted"))
        return [(int(now) // 60, int(when) // 60) for now, when in pairs]

    def said(self) -> list[str]:
        """What cron, atd or the journal would have got, and the lines of syslog."""
        return [*_lines(self.sim / "said"), *_lines(self.sim / "syslog")]

    # ---- starting ------------------------------------------------------------------------------

    @property
    def _by_hand(self) -> Start:
        return Start("hand", (str(self.script),), {"PATH": "/usr/bin"})

    def _start(self, starts: list[Start]) -> None:
        """Those of the same second race each other."""
        ordered = sorted(starts, key=lambda start: start.second)
        for second, together in itertools.groupby(ordered, key=lambda start: start.second):
            (self.sim / "clock").write_text(f"{self.minute * 60 + second}\n")
            with (self.sim / "said").open("ab") as said:
                running = [(start, self._run(start, said)) for start in together]
                for start, process in running:
                    if process.wait(60):
                        self.failed.append((self.minute, start.by))
                    if start.job:
                        start.job.unlink(missing_ok=True)
        self.started += len(starts)
        self._job_due = 0
        if starts:
            self.look(starts)

    def _run(self, start: Start, said: IO[bytes]) -> subprocess.Popen[bytes]:
        with (start.job or Path("/dev/null")).open("rb") as stdin:
            return subprocess.Popen(
                start.argv, env=start.environment, cwd="/", stdin=stdin, stdout=said, stderr=said
            )


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def utc(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, timezone.utc)
