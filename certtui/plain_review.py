"""The second half of the plain wizard: everything is shown, applied when it is said so, proved."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from certtui import crash, output, workflow
from certtui.detached import Detached
from certtui.errors import CerttuiError, Ended, ExitCode, NeedsRoot
from certtui.interview import Interview
from certtui.prompt import Back, read

if TYPE_CHECKING:
    from certtui.change.apply import Consent
    from certtui.change.model import Preview
    from certtui.workflow import Job


def run(interview: Interview, ask_again: Callable[[Interview], None]) -> int:
    """Shows everything and waits for the word; ``b`` asks all again. Gives the exit code.

    Raises CerttuiError, and Left.
    """
    while True:
        try:
            if interview.stale:
                interview.learn(interview.gather())
            job = interview.job()
            preview = job.draft().preview
        except NeedsRoot as error:
            print(f"\n{error}")
            return _hand_over(interview)
        except CerttuiError as error:
            print(f"\nThis cannot be applied: {crash.sentence(error)}")
            preview = None
        if preview is not None:
            print("\nReview: everything that would change; nothing is written yet.\n")
            print(output.preview_text(preview), end="")
        try:
            if preview is None or preview.refusals:
                read("b goes back to the questions, q leaves > ")
                continue
            return _decide(interview, job, preview)
        except Back:
            ask_again(interview)


def _decide(interview: Interview, job: Job, preview: Preview) -> int:
    if not interview.session.may_apply:
        return _hand_over(interview)
    consent = _consent(preview)
    while (word := read("Type the word apply to go on, b for the questions, q to leave > ")) != (
        "apply"
    ):
        print(f"{word!r} is not the word apply; nothing was written." if word else "")
    return _carry_out(interview, job, preview, consent)


def _consent(preview: Preview) -> Consent:
    from certtui.change.apply import Consent

    keep: set[str] = set()
    replace: set[str] = set()
    for change in preview.conflicts:
        print(f"{change.path}: {change.reason}")
        while (word := read("   type keep or replace (undo brings it back) > ")) not in (
            "keep",
            "replace",
        ):
            continue
        (keep if word == "keep" else replace).add(change.path)
    return Consent(keep=frozenset(keep), replace=frozenset(replace))


def _hand_over(interview: Interview) -> int:
    path = interview.keep_plan()
    print(f"This user may not change the system. The plan is in {path}; next:")
    print(f"  sudo certtui apply {path}")
    return ExitCode.OK


def _carry_out(interview: Interview, job: Job, preview: Preview, consent: Consent) -> int:
    if interview.session.named:
        interview.keep_plan()
    try:
        result = Detached(job, consent, preview).run(output.print_step)
    except (KeyboardInterrupt, Ended):
        print("the apply goes on by itself; the next start of certtui tells how it ended")
        raise
    interview.forget()
    print(output.applied_text(result, job.root))
    return _prove(job) if interview.session.proves else ExitCode.OK


def _prove(job: Job) -> int:
    from certtui.renewal import report

    if not job.facts.lineages:
        print("No certificate yet, so nothing was proved. After the first: certtui dry-run")
        return ExitCode.OK
    print("\nDry run: every renewal is tried now, against a test server.\n", flush=True)
    code, done = workflow.watch(job, lambda events: report.stream_text(events, sys.stdout))
    if done is not None and done.ok:
        print("\nSET UP AND PROVED. Remember: certtui status, certtui doctor, certtui undo")
    return code
