"""All checks, and how they are chosen and run."""

from __future__ import annotations

import difflib
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from certtui.doctor.certificates import (
    certbot,
    certbotini,
    deploy,
    hooks,
    lineages,
    served,
    webserver,
)
from certtui.doctor.check import Check, Context, Kind, needs_root
from certtui.doctor.finding import Finding, Status
from certtui.doctor.records import drift, planfile, runs, state
from certtui.doctor.scheduler import (
    account,
    atd,
    atqueue,
    boot,
    confined,
    cron,
    cronfiles,
    renewers,
    spring,
    timers,
)
from certtui.doctor.surroundings import clock, disk, mail, mounts, seen
from certtui.errors import UsageError

__all__ = ["CHECKS", "Check", "Context", "Kind", "run_checks"]

#: In the order in which a person would look.
CHECKS: tuple[Check, ...] = (
    *certbot.CHECKS,
    *certbotini.CHECKS,
    *lineages.CHECKS,
    *planfile.CHECKS,
    *drift.CHECKS,
    *cron.CHECKS,
    *cronfiles.CHECKS,
    *timers.CHECKS,
    *atd.CHECKS,
    *atqueue.CHECKS,
    *boot.CHECKS,
    *spring.CHECKS,
    *confined.CHECKS,
    *account.CHECKS,
    *mounts.CHECKS,
    *renewers.CHECKS,
    *hooks.CHECKS,
    *webserver.CHECKS,
    *deploy.CHECKS,
    *served.CHECKS,
    *runs.CHECKS,
    *mail.CHECKS,
    *disk.CHECKS,
    *clock.CHECKS,
    *state.CHECKS,
    *seen.CHECKS,
)


#: Checks that run side by side: most of them wait for a program that answers.
_WORKERS = 4

#: Seconds after which a check that has not ended is a finding of its own.
LIMIT = 11.0


def kinds() -> tuple[Kind, ...]:
    """Everything that can be found, in the order of the checks."""
    return tuple(kind for check in CHECKS for kind in check.kinds)


def run_checks(
    context: Context,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    *,
    limit: float = LIMIT,
) -> tuple[Finding, ...]:
    """The findings of the checks chosen, in the order of the checks.

    An id names one kind of finding ("cron.insecure-mode") or, up to its dot, a whole group
    ("cron"). Raises :class:`UsageError` for one that does not exist. Ends within ``limit`` seconds,
    whatever hangs.
    """
    wanted = _named(only) or {kind.id for kind in kinds()}
    wanted -= _named(skip)
    asked = _exactly(only) & wanted
    found: list[Finding] = []
    answers: list[Finding] = []
    chosen = [check for check in CHECKS if wanted & set(check.ids)]
    for check, said in zip(chosen, _side_by_side(chosen, context, limit), strict=True):
        found += [one for one in said if one.id in wanted or one.status is Status.CRASH]
        seen = {finding.id for finding in said}
        answers += [
            _answer(kind, said) for kind in check.kinds if kind.id in asked and kind.id not in seen
        ]
    return (*found, *answers)


def _side_by_side(
    checks: Sequence[Check], context: Context, limit: float
) -> list[Sequence[Finding]]:
    """What each check says; one that has not ended in time is left behind."""
    deadline = time.monotonic() + limit
    waiting = deque(enumerate(checks))
    said: dict[int, Sequence[Finding]] = {}

    def work() -> None:
        while waiting:
            try:
                at, check = waiting.popleft()
            except IndexError:
                return  # another one was faster
            began = time.monotonic()
            found = list(_run(check, context))
            seconds = round(time.monotonic() - began, 3)
            said[at] = [replace(finding, seconds=seconds) for finding in found]

    # Daemons, so that one that hangs (on a network file system, say) does not keep us from ending.
    workers = [threading.Thread(target=work, daemon=True) for _ in range(_WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
    late = f"did not end within {limit:g} s"
    return [said.get(at, [check.kinds[0].crash(late, "")]) for at, check in enumerate(checks)]


def _answer(kind: Kind, said: Sequence[Finding]) -> Finding:
    """A kind that a person asked for and that was not found: was it looked for at all?"""
    for finding in said:
        if finding.status in (Status.SKIP, Status.CRASH):
            return kind.skip(finding.subject, finding.message)
    return kind.ok("", "not found here")


def _named(names: Sequence[str]) -> set[str]:
    """The ids that are meant. Raises UsageError."""
    found: set[str] = set()
    for name in _split(names):
        meant = {kind.id for kind in kinds() if name in (kind.id, kind.id.partition(".")[0])}
        if not meant:
            raise UsageError(f"{name}: no such check{_nearest(name)}; see `certtui doctor --list`")
        found |= meant
    return found


def _exactly(names: Sequence[str]) -> set[str]:
    """Those of the ids that name one kind: a person who asks for it gets an answer."""
    asked = _split(names)
    return {kind.id for kind in kinds() if kind.id in asked}


def _split(names: Sequence[str]) -> list[str]:
    """Each name by itself, where some have commas between: "cron,timer"."""
    return [name.strip() for given in names for name in given.split(",")]


def _nearest(name: str) -> str:
    known = [kind.id for kind in kinds()]
    known += sorted({one.partition(".")[0] for one in known})
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    return f"; did you mean {close[0]}?" if close else ""


def _run(check: Check, context: Context) -> Iterator[Finding]:
    """A check that breaks is a finding of its own, never a pass; what it found before counts."""
    first = check.kinds[0]
    try:
        yield from check.run(context)
    except PermissionError as error:
        if context.is_root:
            yield _crash(first, error)
        else:
            yield first.skip("", needs_root(str(error.filename or "a file")))
    except Exception as error:  # noqa: BLE001 - whatever breaks a check must not end the others
        yield _crash(first, error)


def _crash(kind: Kind, error: Exception) -> Finding:
    message = f"the check itself broke ({type(error).__name__}); please report it"
    return kind.crash(message, str(error))
