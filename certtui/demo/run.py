"""``certtui demo``: everything certtui does, once, on a server that is a folder.

With a terminal the wizard leads through it; with ``--yes``, or without one, it goes straight
through and tells each step as it happens. However it ends, no process and no folder stays.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from certtui.demo import server
from certtui.demo.narrative import Narrative
from certtui.demo.sandbox import Sandbox
from certtui.errors import ExitCode

if TYPE_CHECKING:
    from certtui.change.model import Preview
    from certtui.renewal.events import Done
    from certtui.workflow import Job

#: An exit code above this says which signal ended a program.
_SIGNALLED = 128


def run_demo(*, yes: bool) -> int:
    """Runs the demo and gives its exit code: 0 only when everything was written and proved.

    Raises :class:`~certtui.errors.CertbotMissing` where certbot or an ACME server is missing, and
    :class:`~certtui.demo.guarded.DemoError` where the sandbox cannot be made or taken away.
    """
    start = time.monotonic()
    straight = yes or not _has_terminal()
    tell = Narrative(numbered=straight)
    with server.usual_umask(), Sandbox(tell.sandbox) as sandbox, server.surroundings(sandbox):
        folder = sandbox.folder
        problems = _straight(sandbox, tell) if straight else _wizard(sandbox, tell)
    tell.end(folder, time.monotonic() - start, problems)
    return ExitCode.FAILED if problems else ExitCode.OK


def _has_terminal() -> bool:
    """Whether somebody can answer a wizard."""
    streams = (sys.stdin, sys.stdout)
    return all(stream is not None and stream.isatty() for stream in streams)


def _straight(sandbox: Sandbox, tell: Narrative) -> list[str]:
    """Plan, preview, apply, dry run and status; what was not proved, a sentence each."""
    job = server.job(sandbox)
    tell.plan(job.document.file, job.plan)
    draft = job.draft()
    tell.preview(draft.preview, server.actions(job), sandbox.root)
    tell.apply()
    problems = _apply(job, draft.preview, tell)
    tell.dry_run()
    problems += _prove(job, sandbox)
    tell.status()
    _status(job)
    return problems


def _wizard(sandbox: Sandbox, tell: Narrative) -> list[str]:
    """The wizard, then the status of what it left. Raises Ended where a signal ended the wizard."""
    from certtui import wizard, workflow
    from certtui.errors import Ended, PlanMissing

    tell.wizard()
    code = wizard.run_session(server.session(sandbox))
    if code > _SIGNALLED:
        raise Ended(code - _SIGNALLED)
    try:
        applied = workflow.find_plan(None, str(sandbox.root))
    except PlanMissing:
        return ["the wizard was left before anything was applied"]
    job = workflow.Job(applied, str(sandbox.root), known=server.facts(sandbox))
    problems = ["the wizard's dry run did not succeed"] if code != ExitCode.OK else []
    problems += _compare(job)
    tell.status()
    _status(job)
    return problems


def _apply(job: Job, approved: Preview, tell: Narrative) -> list[str]:
    """Applies what was shown. Raises what apply raises."""
    from certtui.change.apply import Consent

    job.apply(tell.step, consent=Consent(), approved=approved)
    tell.applied()
    return _compare(job)


def _compare(job: Job) -> list[str]:
    """A sentence for each file that is not what the plan says."""
    left = [change.path for change in job.draft().preview.files if change.state != "same"]
    return [f"{path} is not what the plan says" for path in left]


def _prove(job: Job, sandbox: Sandbox) -> list[str]:
    from certtui.renewal import report

    done = report.stream_text(job.dry_run(threading.Event()), sys.stdout)
    return not_proved(done, sandbox.names)


def not_proved(done: Done, names: tuple[str, ...]) -> list[str]:
    """A sentence for each certificate whose dry run did not succeed, or for the whole run."""
    results = {lineage.name: lineage for lineage in done.lineages}
    problems = []
    for name in names:
        found = results.get(name)
        if found is None:
            problems.append(f"the dry run did not get to {name}")
        elif found.result != "ok":
            problems.append(f"the dry run of {name} {found.result}: {found.reason}")
    if not done.ok and not problems:
        problems.append(f"the dry run failed: {done.reason}")
    return problems


def _status(job: Job) -> None:
    from certtui import status

    print(status.text(status.gather_status(job)), end="")
