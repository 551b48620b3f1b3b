"""A host for drills: a folder of files, programs that a test plays, a clock that it moves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from certtui.change.files import Tree
from certtui.change.store import STATE
from certtui.drill import trace
from certtui.drill.model import Clock, Scene, Step
from certtui.host.facts import Mailer, Service, Timer
from certtui.host.interface import QUERY_TIMEOUT, Completed, RealHost
from certtui.render import build
from tests.render.support import facts, plan

#: 12 seconds before a full minute.
NOW = datetime(2026, 11, 24, 12, 0, 48, tzinfo=timezone.utc).timestamp()
ID = "0123456789abcdef"

EXIM = Mailer("sendmail", "/usr/sbin/sendmail", "/usr/sbin/exim4")

Answer = Callable[[tuple[str, ...], str], "Completed | str | None"]


class PlayedClock(Clock):
    """Time that passes only while somebody waits; ``plans`` happen as their moment comes."""

    def __init__(self) -> None:
        self.time = NOW
        self.plans: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> float:
        return self.time

    def at(self, seconds: float, happens: Callable[[], object]) -> None:
        self.plans.append((self.time + seconds, happens))

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        for moment, happens in [due for due in self.plans if due[0] <= self.time]:
            self.plans.remove((moment, happens))
            happens()


class PlayedHost(RealHost):
    """Files are those below a folder; what programs answer is up to ``answers``, the last first."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.answers: list[Answer] = []
        self.ran: list[tuple[str, ...]] = []
        self.programs = {"atq", "at", "atrm", "systemctl", "sendmail"}

    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if program in self.programs else None

    def is_root(self) -> bool:
        return True

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = QUERY_TIMEOUT,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        command = tuple(argv)
        self.ran.append(command)
        for answer in reversed(self.answers):
            said = answer(command, stdin)
            if isinstance(said, Completed):
                return said
            if said is not None:
                return Completed(command, 0, said, "")
        return Completed(command, 0, "", "")

    def calls(self, *beginning: str) -> list[tuple[str, ...]]:
        return [argv for argv in self.ran if argv[: len(beginning)] == beginning]


@dataclass
class Place:
    """A host on which a plan was applied, and what a drill there has said."""

    folder: Path
    scene: Scene
    host: PlayedHost
    clock: PlayedClock
    steps: list[Step] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)

    @property
    def tree(self) -> Tree:
        return self.scene.tree

    def path(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def write(self, path: str, text: str = "") -> Path:
        found = self.path(path)
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_text(text)
        return found

    def left(self) -> list[str]:
        """Files that were not there after the apply."""
        known = {artifact.path for artifact in self.scene.rendered.artifacts}
        known |= {STATE, "/var/lib/certtui/lock", "/var/lib/certtui/runs.log"}
        found = {f"/{path.relative_to(self.folder)}" for path in self.folder.rglob("*")}
        return sorted(path for path in found - known if self.path(path).is_file())

    def takes_marker(self) -> str:
        """As the script does; gives the id."""
        marker = self.path(trace.MARKER)
        drill = marker.read_text().split("\n")[0]
        marker.unlink()
        return drill

    def records(self, trigger: str, words: str) -> None:
        """The script takes the marker and writes its line."""
        self.log(trigger, f"{self.takes_marker()} {words}")

    def log(self, trigger: str, detail: str, result: str = "drill") -> None:
        now = datetime.fromtimestamp(self.clock.now(), timezone.utc)
        with self.path("/var/lib/certtui/runs.log").open("a") as file:
            file.write(f"{now:%Y-%m-%dT%H:%M:%SZ} {trigger} {result} 1 {detail}\n")

    def trace(self) -> trace.Trace | None:
        return trace.read(self.tree)


def place(folder: Path, *, mailer: Mailer | None = EXIM, **answers: Any) -> Place:
    """Applies a plan there: the files that a drill goes through, and a state."""
    chosen = plan(**{"schedule_backend": "cron", "mail_to": "admin@localhost", **answers})
    known = facts(
        cron=Service("cron", True, "cron.service", True, True),
        atd=Service("atd", True, "atd.service", True, True),
        timers=(Timer("certtui-renew.timer", "enabled", True, "certtui-renew.service"),),
        mailer=mailer,
    )
    rendered = build.render(chosen, known, plan_text=b"version = 1\n")
    folder.mkdir(exist_ok=True)
    host, clock = PlayedHost(str(folder)), PlayedClock()
    steps: list[Step] = []
    waits: list[str] = []
    tree = Tree(str(folder))
    scene = Scene(host, tree, chosen, known, rendered, steps.append, waits.append, clock)
    made = Place(folder, scene, host, clock, steps, waits)
    for artifact in rendered.artifacts:
        path = made.path(artifact.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(artifact.content)
        path.chmod(artifact.mode)
    made.write(STATE, "{}")
    return made


def systemctl(**known: str) -> Answer:
    """Answers ``systemctl show`` of the service and its timer; ``fired`` is the timer's."""
    values = {"ActiveState": "inactive", "Job": "0", "Result": "success", **known}
    fired = values.pop("fired", "n/a")

    def answer(argv: tuple[str, ...], stdin: str) -> str | None:
        if argv[:2] != ("systemctl", "show"):
            return None
        if re.search(r"\.timer$", argv[-1]):
            return f"LastTriggerUSec={fired}\n"
        return "".join(f"{name}={value}\n" for name, value in values.items())

    return answer
