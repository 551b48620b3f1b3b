"""What a drill works with, and what it says: plain data, but for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from certtui.change.files import Tree
from certtui.host.facts import Facts
from certtui.host.interface import Host
from certtui.plan.model import Plan
from certtui.render.artifact import Rendered

#: Seconds a whole drill may take: up to one and a bit until the minute, and a mailer that hangs.
LONGEST = 145.0


@dataclass(frozen=True)
class Step:
    """One link of the chain. ``mend`` is what to do where it is not ``ok``, a command mostly."""

    what: str
    ok: bool
    message: str = ""
    mend: str = ""


class Clock:
    """Seconds since 1970, and how to wait; a test has another."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait(self, holds: Callable[[], bool], until: float, pause: float = 0.25) -> bool:
        """Waits until something holds; False where it does not by then (seconds since 1970)."""
        while not holds():
            if self.now() >= until:
                return False
            self.sleep(pause)
        return True


@dataclass(frozen=True)
class Scene:
    """The host of a drill and its plan; ``on_step`` and ``on_wait`` are told as things happen."""

    host: Host
    tree: Tree
    plan: Plan
    facts: Facts
    rendered: Rendered
    on_step: Callable[[Step], None] = lambda step: None
    on_wait: Callable[[str], None] = lambda sentence: None
    clock: Clock = field(default_factory=Clock)

    def wait(self, holds: Callable[[], bool], until: float, pause: float = 0.25) -> bool:
        """Waits until something holds; False where it does not by then (seconds since 1970)."""
        return self.clock.wait(holds, until, pause)


@dataclass
class Mail:
    """What is known of the drill's mail. ``delivered`` is a mailbox, or what a log says."""

    to: str = ""
    queue_id: str = ""
    delivered: str = ""


@dataclass
class Outcome:
    """How a drill ended. ``proved`` is the end of its last line where every step is ok."""

    kind: str  # mail | deploy
    id: str
    backend: str
    steps: list[Step] = field(default_factory=list)
    proved: str = ""
    mail: Mail = field(default_factory=Mail)
    #: for a deploy drill: name, state, address and message of each lineage
    served: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return bool(self.proved) and all(step.ok for step in self.steps)

    @property
    def broken(self) -> Step | None:
        """Where it broke first."""
        return next((step for step in self.steps if not step.ok), None)
