"""What each command does: ask the workflow, show the answer, choose the exit code."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from certtui import workflow
from certtui.errors import ApplyFailed, ExitCode, PlanInvalid, Refused, UsageError
from certtui.workflow import Job

if TYPE_CHECKING:
    from certtui.change.model import Step
    from certtui.doctor.finding import Finding
    from certtui.renewal.events import Done, Event

SCHEMA_VERSION = 1


def run(arguments: argparse.Namespace) -> int:
    """Runs the command of a parsed command line. Raises CerttuiError."""
    return int(_HANDLERS[arguments.command](arguments))


def print_json(data: dict[str, Any]) -> None:
    """One object, ``schema_version`` first."""
    print(json.dumps({"schema_version": SCHEMA_VERSION, **data}))


def _root(arguments: argparse.Namespace) -> str:
    """The folder given with ``--root``, absolute. Raises :class:`UsageError`."""
    given: str = getattr(arguments, "root", "/")
    if not given or not os.path.isdir(given):  # empty: a variable that was not set, not "here"
        raise UsageError(f"--root {given!r}: no such directory; make it first")
    return os.path.abspath(given)


def _job(arguments: argparse.Namespace) -> Job:
    root = _mend(arguments)
    return Job(workflow.find_plan(arguments.plan, root), root)


def _mend(arguments: argparse.Namespace) -> str:
    """Ends what a killed certtui began; gives the root. Raises :class:`UsageError`."""
    root = _root(arguments)
    mended = workflow.recover(root)
    if mended:
        print(f"certtui: {mended}", file=sys.stderr)
    return root


def _init(arguments: argparse.Namespace) -> int:
    from certtui.ask import answers
    from certtui.host.gather import gather
    from certtui.host.interface import RealHost
    from certtui.plan import document

    given = answers.from_settings(arguments.set)
    found = answers.from_facts(gather(RealHost()))
    plan = document.new(answers.that_apply({**found, **given}), arguments.plan)
    answers.write_new(arguments.plan, plan, force=arguments.force)
    print(f"wrote {arguments.plan}; look at it, then: certtui diff {arguments.plan}")
    return ExitCode.OK


def _check(arguments: argparse.Namespace) -> int:
    problems: list[dict[str, Any]] = []
    try:
        document = workflow.find_plan(arguments.plan)
    except PlanInvalid as error:
        if not arguments.json:
            raise
        problems = [vars(problem) for problem in error.problems]
    if arguments.json:
        print_json({"problems": problems})
    elif not problems:
        print(f"{document.file}: a valid plan")
    return ExitCode.INVALID_PLAN if problems else ExitCode.OK


def _schema(arguments: argparse.Namespace) -> int:
    del arguments
    from certtui.plan.schema import json_schema

    print(json.dumps(json_schema(), indent=2))
    return ExitCode.OK


def _diff(arguments: argparse.Namespace) -> int:
    from certtui import output

    preview = _job(arguments).draft().preview
    if arguments.json:
        print_json(output.preview_json(preview))
    else:
        print(output.preview_text(preview), end="")
    return ExitCode.DIFFERS if preview.changed else ExitCode.OK


def _apply(arguments: argparse.Namespace) -> int:
    from certtui import output
    from certtui.change.apply import Consent

    job = _job(arguments)
    if arguments.check:
        return _apply_check(arguments, job)
    preview = job.draft().preview if arguments.json else None
    told = output.discard_step if arguments.json else output.print_step
    try:
        result = job.apply(told, consent=Consent(force=arguments.force), approved=preview)
    except Refused:
        if preview is not None:
            print_json({**output.preview_json(preview), "steps": [], "dry_run": None})
        raise
    done = None
    code = int(ExitCode.OK)
    if not arguments.json:
        print(output.applied_text(result, job.root))
    if job.live and not arguments.no_dry_run:
        code, done = _prove(job, quiet=arguments.json)
    if preview is not None:
        print_json(
            {
                **output.preview_json(preview),
                "changed": result.changed,
                "steps": [vars(step) for step in result.steps],
                "dry_run": done,
            }
        )
    return code


def _apply_check(arguments: argparse.Namespace, job: Job) -> int:
    from certtui import output

    preview = job.draft().preview
    if arguments.json:
        print_json(output.preview_json(preview))
    else:
        print(output.preview_text(preview), end="")
    if preview.refusals or preview.conflicts:
        return ExitCode.FAILED
    return ExitCode.DIFFERS if preview.changed else ExitCode.OK


def _prove(job: Job, *, quiet: bool) -> tuple[int, dict[str, Any] | None]:
    """A dry run after apply: its exit code and its last event as JSON."""
    from certtui.renewal import report

    def show(events: Iterator[Event]) -> Done:
        return report.last(events) if quiet else report.stream_text(events, sys.stdout)

    code, done = workflow.watch(job, show)
    return code, report.to_json(done) if done else None


def _dry_run(arguments: argparse.Namespace) -> int:
    from certtui.renewal import report

    def show(events: Iterator[Event]) -> Done:
        stream = report.stream_json if arguments.json else report.stream_text
        return stream(events, sys.stdout)

    return workflow.watch(_job(arguments), show)[0]


def _undo(arguments: argparse.Namespace) -> int:
    return _take_back(arguments, "undo")


def _remove(arguments: argparse.Namespace) -> int:
    return _take_back(arguments, "remove")


def _take_back(arguments: argparse.Namespace, what: str) -> int:
    from certtui import output
    from certtui.change import undo
    from certtui.change.files import Tree
    from certtui.errors import NeedsRoot
    from certtui.host.interface import RealHost

    root = _root(arguments)
    if root == "/" and os.geteuid() != 0:
        raise NeedsRoot(f"`certtui {what}` changes the system and needs root: sudo certtui {what}")
    cleaned = workflow.recover_drill(root)
    if cleaned:
        print(f"certtui: {cleaned}", file=sys.stderr)
    take_back = undo.undo if what == "undo" else undo.remove
    result = take_back(RealHost(), Tree(root), force=arguments.force, on_step=output.print_step)
    kept = " but for what was kept" if any(s.what.startswith("kept ") for s in result.steps) else ""
    if what == "undo":
        print(f"the host is as it was before the last apply{kept}")
    else:
        print(f"the host is as it was before the first apply{kept}; the log of runs stays")
    return ExitCode.OK


def _doctor(arguments: argparse.Namespace) -> int:
    from certtui import lookups, output
    from certtui.doctor import registry, report

    if arguments.list:
        if arguments.json:
            print_json(report.listing_json())
        else:
            print(report.listing(), end="")
        return ExitCode.OK
    with contextlib.suppress(ApplyFailed, FileNotFoundError):
        _mend(arguments)  # what cannot be ended is a finding (doctor/records/state.py)
    mended: list[dict[str, Any]] = []

    def look() -> Sequence[Finding]:
        context = lookups.context(lookups.find(arguments.plan), arguments.plan)
        return registry.run_checks(context, arguments.only, arguments.skip)

    def told(step: Step) -> None:
        mended.append(vars(step))
        if not arguments.json:
            output.print_step(step)

    if arguments.fix:
        from certtui import mending
        from certtui.host.interface import RealHost

        given = lookups.find(arguments.plan)
        # What a plan was once is not applied over one that its editor is still to mend.
        job = None if given.unusable else given.job
        findings = mending.mend(job, RealHost(), look, told)
    else:
        findings = look()
    if arguments.json:
        print_json({**report.to_json(findings), **({"mended": mended} if arguments.fix else {})})
    else:
        print(report.text(findings, colour=output.colour(), width=output.width()), end="")
    return report.exit_code(findings)


def _drill(arguments: argparse.Namespace) -> int:
    from certtui import drilling
    from certtui.errors import NeedsRoot

    with drilling.refusals(arguments.json):
        drilling.check_only(arguments.deploy, arguments.only)
        if os.geteuid() != 0:
            raise NeedsRoot("`certtui drill` starts root's own renewal script: sudo certtui drill")
        job, only = _job(arguments), arguments.only or ""
        return drilling.run(job, deploy=arguments.deploy, only=only, as_json=arguments.json)


def _status(arguments: argparse.Namespace) -> int:
    from certtui import lookups, status

    _mend(arguments)
    found = lookups.status_of(lookups.find(arguments.plan))
    if arguments.json:
        print_json(status.to_json(found))
    else:
        print(status.text(found), end="")
    return ExitCode.OK


def _demo(arguments: argparse.Namespace) -> int:
    from certtui.demo.run import run_demo

    return run_demo(yes=arguments.yes)


def _wizard(arguments: argparse.Namespace) -> int:
    from certtui import wizard

    return wizard.run(
        arguments.plan, plain=arguments.plain, colours=arguments.colours, mouse=arguments.mouse
    )


_HANDLERS: dict[str, Callable[[argparse.Namespace], int]] = {
    "init": _init,
    "check": _check,
    "diff": _diff,
    "apply": _apply,
    "dry-run": _dry_run,
    "doctor": _doctor,
    "drill": _drill,
    "status": _status,
    "undo": _undo,
    "remove": _remove,
    "demo": _demo,
    "schema": _schema,
    "wizard": _wizard,
}
