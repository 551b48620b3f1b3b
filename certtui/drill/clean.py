"""After a drill, however it ended: file, block, job, marker and trace are gone, the unit as it was.

What is cleaned is found by its own marks and not by memory, so that it is the same for a drill
that has just ended and for one that was killed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from certtui.change.files import Tree
from certtui.change.lock import locked
from certtui.doctor.records import history
from certtui.drill import backends, pending, processes, trace, unit
from certtui.drill.model import Clock
from certtui.drill.trace import Trace
from certtui.errors import ApplyFailed, CerttuiError, Locked
from certtui.host.interface import Completed, Host, RealHost, apart


def clean(
    host: Host,
    tree: Tree,
    left: Trace,
    *,
    proved: bool = False,
    killed: bool = False,
    clock: Clock | None = None,
) -> list[str]:
    """Takes away what a drill has put there; what could not be, as sentences.

    The trace stays then, so that the next command tries again. ``killed`` is whether it is somebody
    else's drill, which can have ended long ago.
    """
    clock = clock or Clock()
    problems: list[str] = []
    # The marker first: whatever starts from here on does nothing for the drill.
    for step in (_marker, _cron_file, _crontab, _jobs):
        problems += _tried(lambda step=step: step(host, tree, left))  # type: ignore[misc]
    problems += _tried(lambda: _running(host, left, clock))
    if left.how == "deploy" and not proved:
        problems += _tried(lambda: pending.settle(host, tree, left, killed=killed))
    if not problems:
        trace.forget(tree)
    return problems


def recover(host: Host | None = None, tree: Tree | None = None) -> str:
    """Cleans up after a drill that was killed; a sentence about it, "" where there was none.

    Of this machine, but for tests.
    """
    host, tree = host or RealHost(), tree or Tree()
    try:
        with locked(tree):
            left = trace.read(tree)
            if left is None:
                trace.forget(tree)  # nothing was begun but the trace itself
                return ""
            with apart():
                problems = clean(host, tree, left, killed=True)
    except Locked:
        return ""  # it is at work
    if problems:
        return f"a fire drill was ended on its way, and is not all cleaned up: {problems[0]}"
    if left.damaged:
        return (
            f"cleaned up after a fire drill as far as can be told: {trace.TRACE} was damaged, so a "
            "service that failed in it and what it noted to be loaded are as it left them "
            "(certtui doctor looks at both)"
        )
    return "cleaned up after a fire drill that was ended on its way"


def _tried(step: Callable[[], list[str]]) -> list[str]:
    try:
        return step()
    except (OSError, CerttuiError) as error:
        return [str(error)]


def _marker(host: Host, tree: Tree, left: Trace) -> list[str]:
    trace.unmark(tree)
    return []


def _cron_file(host: Host, tree: Tree, left: Trace) -> list[str]:
    if left.how not in ("cron.d", ""):
        return []
    tree.clean(backends.CRON_FILE)
    found = tree.snapshot(backends.CRON_FILE)
    if found is not None and b"\nCERTTUI_DRILL=" in found.content:
        tree.delete(backends.CRON_FILE)
    return []


def _crontab(host: Host, tree: Tree, left: Trace) -> list[str]:
    if left.how not in ("crontab", "") or tree.root != "/":
        return []
    return backends.clean_crontab()


def _jobs(host: Host, tree: Tree, left: Trace) -> list[str]:
    if left.how not in ("at", "") or host.which("atq") is None:
        return []
    numbers = jobs(host, left.id)
    if not numbers:
        return []
    done = host.run(["atrm", *numbers])
    # One that began meanwhile is in the queue no more, and finds no marker.
    gone = not done.ok and not jobs(host, left.id)
    return [] if done.ok or gone else [f"atrm {' '.join(numbers)}: {done.text}"]


def jobs(host: Host, drill: str) -> list[str]:
    """The numbers of root's waiting jobs that were queued for a drill; "" stands for any."""
    mark = re.compile(rf"^CERTTUI_DRILL={drill or '[0-9a-f]{16}'};", re.MULTILINE)
    listed = _answer(host, "atq").out
    waiting = re.findall(r"^(\d+)\t.* ([^=]) root$", listed, re.MULTILINE)
    return [number for number, _ in waiting if mark.search(_answer(host, "at", "-c", number).out)]


def _answer(host: Host, *argv: str) -> Completed:
    """Raises ApplyFailed where it was ended or hung: that is not "no jobs"."""
    done = host.run(argv)
    if done.code < 0 or done.code == 124:
        raise ApplyFailed(f"{' '.join(argv)}: {done.text or f'ended by signal {-done.code}'}")
    return done


def _running(host: Host, left: Trace, clock: Clock) -> list[str]:
    """The drill's own run is ended where it is still at work."""
    if left.how == "deploy" or left.damaged:
        return []
    ended = recorded(host, left.id) is not None
    if left.how == "unit":
        return unit.leave(host, left, ended, clock)
    return [] if ended else processes.end(host, left.id, clock)


def recorded(host: Host, drill: str) -> history.PastRun | None:
    """The line of a drill in the log of runs. Raises PermissionError."""
    return next(
        (
            run
            for run in reversed(history.read(host).runs)
            if run.is_drill and run.detail.split(" ")[0] == drill
        ),
        None,
    )
