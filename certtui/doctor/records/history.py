"""What the generated scripts leave in certtui's folder: the log of runs, and pending deploys.

Their formats are those of ``render/templates/renew.sh`` and ``deploy.sh``. A line that is not one
of theirs is counted and passed over: a full disk or an editor may have left it there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from certtui.change.store import HOME, RUNS_LOG
from certtui.host.interface import Host

PENDING = f"{HOME}/pending-deploy"

#: Bytes of the end of the log that are read; 1,000 lines of at most 450 bytes fit.
_MOST = 1 << 19

_LINE = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (cron|systemd-timer|at|manual)"
    r" (ok|failed|locked|deploy-failed|timeout|drill) (\d{1,9})(?: (.*))?"
)


@dataclass(frozen=True)
class PastRun:
    """One line of ``runs.log``: when a run ended (UTC), what started it, how it ended."""

    time: datetime
    trigger: str
    result: str
    seconds: int
    detail: str

    @property
    def is_drill(self) -> bool:
        """Whether `certtui drill` forced it: nothing was renewed, and nothing has failed."""
        return self.result == "drill"


@dataclass(frozen=True)
class History:
    """The runs, oldest first, and how many lines could not be understood."""

    runs: tuple[PastRun, ...] = ()
    damaged: int = 0

    @property
    def real(self) -> tuple[PastRun, ...]:
        """Those that tried to renew."""
        return tuple(run for run in self.runs if not run.is_drill)

    @property
    def last(self) -> PastRun | None:
        """The last that tried to renew."""
        return next((run for run in reversed(self.runs) if not run.is_drill), None)


def read(host: Host) -> History:
    """The log of runs; empty where there is none. Raises PermissionError."""
    return parse(host.read(RUNS_LOG) or b"")


def parse(data: bytes) -> History:
    """``runs.log`` as far as it can be understood."""
    whole = len(data) <= _MOST
    lines = data[-_MOST:].decode("utf-8", "replace").splitlines()
    found = [_run(line) for line in (lines if whole else lines[1:]) if line.strip()]
    runs = sorted((run for run in found if run is not None), key=lambda run: run.time)
    return History(tuple(runs), found.count(None))


def _run(line: str) -> PastRun | None:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        return None
    try:
        when = datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return PastRun(when, match[2], match[3], int(match[4]), (match[5] or "").strip())


def pending(host: Host) -> tuple[str, ...]:
    """The lineages renewed but not loaded by the web server yet. Raises PermissionError."""
    return tuple(dict.fromkeys(_pending_lines(host)))


def _pending_lines(host: Host) -> Iterator[str]:
    # ".done" is there while a hook is at work, or where one was killed; the next run takes it up.
    for path in (PENDING, f"{PENDING}.done"):
        text = (host.read(path) or b"").decode("utf-8", "replace")
        yield from (line for line in text.splitlines() if line.strip())
