"""A host with at(1): a queue that outlives the process, and at scripts that queue themselves."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from certtui.change import store
from certtui.change.files import Tree
from certtui.change.jobs import Queue
from certtui.host.interface import QUERY_TIMEOUT, Completed
from certtui.render.artifact import Artifact, Rendered, UnitState
from tests.change.support import PLAN, SCRIPT, TIMER, Systemd

RANDOM = "/usr/local/sbin/certbot-at-random"
BLOCK = "/usr/local/sbin/certbot-at-block"
#: The minute at which the next job of each script must run.
DUE = {
    RANDOM: datetime(2026, 11, 24, 22, 58, tzinfo=timezone.utc),
    BLOCK: datetime(2026, 11, 25, 3, 7, tzinfo=timezone.utc),
}

#: What at(1) 3.2.5 stores of a job.
_STORED = """\
#!/bin/sh
# atrun uid=0 gid=0
# mail root -1
umask 77
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin; export PATH
TZ=UTC0; export TZ
CERTTUI_TRIGGER=at; export CERTTUI_TRIGGER
CERTTUI_SLOT={slot}; export CERTTUI_SLOT
cd / || {{
\t echo 'Execution directory inaccessible' >&2
\t exit 1
}}
exec {script} </dev/null

"""


def queue(script: str = RANDOM) -> Queue:
    """What the plan wants queued, for a backend that has the script."""
    return Queue(script, DUE[script])


def target(
    script: str = RANDOM, content: bytes = b"#!/bin/sh\n", *, timer: bool = True
) -> Rendered:
    """What an at backend renders to."""
    artifacts = [
        Artifact(PLAN, f"version = 1 # {script}\n".encode(), 0o600, "the plan"),
        Artifact(SCRIPT, b"#!/bin/sh\n", 0o700, "renews"),
        Artifact(script, content, 0o700, "queues"),
    ]
    if not timer:
        return Rendered(tuple(artifacts), queue=script)
    artifacts.append(Artifact(TIMER, f"[Timer] {script}\n".encode(), 0o644, "starts it"))
    on = UnitState("certtui-renew.timer", True, "starts it", ours=True)
    off = UnitState("certbot.timer", False, "one renewer is enough")
    return Rendered(tuple(artifacts), (on, off), verify=(TIMER,), queue=script)


class AtHost(Systemd):
    """A script queues the job of :data:`DUE`, takes other jobs of its own away, keeps a state."""

    def __init__(self, tree: Tree, *, installed: bool = True) -> None:
        super().__init__(tree)
        self.installed = installed
        self._file = Path(f"{tree.root}.queue")

    @property
    def queue(self) -> dict[str, dict[str, Any]]:
        """number -> when (ISO), script, letter, user."""
        return dict(json.loads(self._file.read_text())) if self._file.exists() else {}

    @queue.setter
    def queue(self, jobs: Mapping[str, Mapping[str, Any]]) -> None:
        os.utime(self.tree.root)  # where a test may kill us: before it and after it
        self._file.write_text(json.dumps(jobs))
        os.utime(self.tree.root)

    def add(self, script: str, when: datetime, *, letter: str = "c", user: str = "root") -> str:
        """Queues a job and gives its number."""
        jobs = self.queue
        number = str(max(map(int, jobs), default=0) + 1)
        job = {"when": when.isoformat(), "script": script, "letter": letter, "user": user}
        self.queue = {**jobs, number: job}
        return number

    def scripts(self) -> list[str]:
        """The scripts that wait in the queue, one for each job."""
        return [job["script"] for job in self.queue.values()]

    def is_root(self) -> bool:
        return True

    def which(self, program: str) -> str | None:
        return "/usr/bin/atq" if self.installed and program == "atq" else None

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = QUERY_TIMEOUT,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        command = tuple(argv)
        if command == ("atq",):
            assert env == {"TZ": "UTC"}
            return Completed(command, 0, "".join(self._listed()), "")
        if command[:2] == ("at", "-c"):
            job = self.queue[command[2]]
            slot = int(datetime.fromisoformat(job["when"]).timestamp()) // 60
            return Completed(command, 0, _STORED.format(slot=slot, script=job["script"]), "")
        done = super().run(argv, timeout=timeout, env=env, stdin=stdin)
        if done.ok and command[0] == "atrm":
            return self._remove(command)
        if done.ok and command[1:] == ("queue",):
            return self._start(command)
        return done

    def _listed(self) -> list[str]:
        return [
            f"{number}\t{datetime.fromisoformat(job['when']):%a %b %d %H:%M:%S %Y} "
            f"{job['letter']} {job['user']}\n"
            for number, job in self.queue.items()
        ]

    def _remove(self, command: tuple[str, ...]) -> Completed:
        """at(1) takes away those that are there and fails for the rest."""
        jobs = self.queue
        missing = [number for number in command[1:] if number not in jobs]
        self.queue = {number: job for number, job in jobs.items() if number not in command}
        said = "".join(f"Cannot find jobid {number}\n" for number in missing)
        return Completed(command, 1 if missing else 0, "", said)

    def _start(self, command: tuple[str, ...]) -> Completed:
        script = command[0]
        if self.tree.snapshot(script) is None:
            return Completed(command, 127, "", f"{script}: not found")
        for name in ("at-state", "at-lock"):
            Path(f"{self.tree.root}{store.HOME}/{name}").write_text(f"{script}\n")
        when = DUE[script].isoformat()
        kept = {
            number: job
            for number, job in self.queue.items()
            if job["script"] != script or job["when"] == when or job["letter"] == "="
        }
        if kept != self.queue:
            self.queue = kept
        if not any(job["script"] == script and job["when"] == when for job in kept.values()):
            self.add(script, DUE[script])
        return Completed(command, 0, "", "")
