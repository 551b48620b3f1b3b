"""The frame of every drill: under the lock, traced, and cleaned up whatever ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from certtui.change.lock import locked
from certtui.change.signals import HeldSignals
from certtui.drill import clean, trace
from certtui.drill.model import Outcome, Scene, Step
from certtui.drill.trace import Trace
from certtui.errors import CerttuiError, Refused
from certtui.host.interface import apart


@contextmanager
def alone(scene: Scene) -> Iterator[None]:
    """Holds the lock; what an earlier drill has left is gone. Raises Locked, Refused."""
    with locked(scene.tree):
        left = trace.read(scene.tree)
        if left is None:
            trace.forget(scene.tree)  # one that was killed as it wrote it
        else:
            problems = clean.clean(scene.host, scene.tree, left, killed=True, clock=scene.clock)
            if problems:
                raise Refused(f"an earlier drill could not be cleaned up: {problems[0]}")
        yield


@contextmanager
def traced(scene: Scene, left: Trace, outcome: Outcome) -> Iterator[None]:
    """From the trace to the end of it. Signals wait while it is cleaned up."""
    held = HeldSignals()
    try:
        trace.write(scene.tree, left)
        yield
    finally:
        held.begin()
        try:
            with apart():
                left = _noted(scene, left)
                problems = clean.clean(
                    scene.host, scene.tree, left, proved=outcome.ok, clock=scene.clock
                )
        finally:
            held.end()
    mend = "the next certtui command tries again"
    step = Step("cleaned up", not problems, "; ".join(problems), mend if problems else "")
    say(scene, outcome, step)


def _noted(scene: Scene, left: Trace) -> Trace:
    """The trace with what was added to it while the drill was under way."""
    try:
        found = trace.read(scene.tree)
    except (OSError, CerttuiError):
        return left
    return found if found is not None and found.id == left.id else left


def say(scene: Scene, outcome: Outcome, step: Step) -> bool:
    """Notes and shows a step; gives whether all is well."""
    outcome.steps.append(step)
    scene.on_step(step)
    return step.ok
