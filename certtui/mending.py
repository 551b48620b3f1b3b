"""``certtui doctor --fix``: runs the mends that nobody objects to, and looks again.

What concerns our own files, units and at jobs goes through the same journalled apply as everything
else, so that undo knows of it; what is left are commands about services (start cron, read units
again), each run as it is printed. Nothing that a person must decide is touched: edited files are
kept, and a plan that was changed but not applied is not applied by this.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from certtui.change.model import Step
from certtui.doctor.finding import Finding, Fix, Status
from certtui.errors import NeedsRoot, Refused

if TYPE_CHECKING:
    from certtui.change.run import OnStep
    from certtui.host.interface import Host
    from certtui.workflow import Job

#: Looks at most: a unit that is read again may have to be started as well.
_ROUNDS = 3

#: Seconds for one command, an installation of packages excepted: those are never safe.
_TIMEOUT = 60.0

#: How the ids of stopped daemons end. Their mends come first: apply refuses without cron or atd.
_DAEMONS = ".daemon"

Look = Callable[[], Sequence[Finding]]


def mend(job: Job | None, host: Host, look: Look, on_step: OnStep) -> Sequence[Finding]:
    """Runs the safe mends of what ``look`` finds; gives what it finds in the end.

    ``job`` is None without a plan. Raises NeedsRoot, Locked, ApplyFailed.
    """
    if not host.is_root():
        raise NeedsRoot("mending changes the system and needs root: sudo certtui doctor --fix")
    findings = look()
    tried: set[tuple[str, ...]] = set()

    def run(fixes: Sequence[Fix]) -> bool:
        new = [argv for argv in dict.fromkeys(fix.argv for fix in fixes) if argv not in tried]
        tried.update(new)
        for argv in new:
            on_step(_run(host, argv))
        return bool(new)

    if run(_safe(findings, _DAEMONS)):
        findings = look()
    if job is not None and _safe(findings) and _apply(job, on_step):
        findings = look()
    for _ in range(_ROUNDS):
        if not run([fix for fix in _safe(findings) if not _is_apply(fix)]):
            break
        findings = look()
    return findings


def _safe(findings: Sequence[Finding], kind: str = "") -> list[Fix]:
    """The safe mends of what is wrong; ``kind`` is how the ids of those looked for end."""
    return [
        finding.fix
        for finding in findings
        if finding.fix and finding.fix.safe and finding.status in (Status.FAIL, Status.WARN)
        if finding.id.endswith(kind)
    ]


def _is_apply(fix: Fix) -> bool:
    return fix.argv[:2] == ("certtui", "apply")


def _apply(job: Job, on_step: OnStep) -> bool:
    """Puts back what was applied; whether anything changed. A refusal is a step that failed."""
    from certtui.change import store
    from certtui.change.apply import Consent

    if store.read_state(job.tree).plan != job.document.text:
        why = "the plan was changed and not applied yet: look at `certtui diff`, then apply it"
        on_step(Step("certtui apply", False, why))
        return False
    try:
        preview = job.draft().preview
        kept = frozenset(change.path for change in preview.conflicts)
        return job.apply(on_step, consent=Consent(keep=kept), approved=preview).changed
    except Refused as error:
        on_step(Step("certtui apply", False, str(error)))
        return False


def _run(host: Host, argv: tuple[str, ...]) -> Step:
    done = host.run(argv, timeout=_TIMEOUT)
    said = "" if done.ok else f"exit code {done.code}: {' '.join(_last(done.text))}".rstrip(": ")
    return Step(shlex.join(argv), done.ok, said)


def _last(text: str) -> Iterator[str]:
    """The last line that says something."""
    yield from [line for line in text.splitlines() if line.strip()][-1:]
