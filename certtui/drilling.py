"""`certtui drill`: a drill on this machine, told as it happens or as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from certtui.errors import CerttuiError, ExitCode, UsageError

if TYPE_CHECKING:
    from certtui.drill.model import Outcome, Scene
    from certtui.workflow import Job

SCHEMA_VERSION = 1


@contextmanager
def refusals(as_json: bool) -> Iterator[None]:
    """Where JSON is asked for, what keeps a drill from its end is JSON, too; it is raised on."""
    try:
        yield
    except CerttuiError as error:
        if as_json:
            shown = {"schema_version": SCHEMA_VERSION, "ok": False, "error": str(error)}
            print(json.dumps(shown), flush=True)
        raise


def check_only(deploy: bool, only: str | None) -> None:
    """``only`` is None where it was not given. Raises UsageError."""
    if only is None:
        return
    if not deploy:
        raise UsageError("--only names the certificate of a deploy drill: add --deploy")
    if not only.strip():
        raise UsageError("--only names no certificate; without it, all of them are drilled")


def run(job: Job, *, deploy: bool, only: str, as_json: bool) -> int:
    """0 where it is proved, 1 where not. Raises Refused, Locked."""
    from certtui.drill import report

    outcome = _drill(_scene(job, as_json), deploy, only)
    if as_json:
        shown: dict[str, Any] = {"schema_version": SCHEMA_VERSION, **report.to_json(outcome)}
        print(json.dumps(shown))
    else:
        print(report.summary(outcome))
    return int(ExitCode.OK if outcome.ok else ExitCode.FAILED)


def _drill(scene: Scene, deploy: bool, only: str) -> Outcome:
    if deploy:
        from certtui.drill import deploy as of_deploy

        return of_deploy.drill(scene, only)
    from certtui.drill import mail

    return mail.drill(scene)


def _scene(job: Job, quiet: bool) -> Scene:
    from certtui.drill import report
    from certtui.drill.model import Scene, Step

    def on_step(step: Step) -> None:
        if not quiet:
            print(report.step_text(step), flush=True)

    def on_wait(sentence: str) -> None:
        if not quiet:
            print(report.wait_text(sentence), flush=True)

    return Scene(job.host, job.tree, job.plan, job.facts, job.rendered, on_step, on_wait)
