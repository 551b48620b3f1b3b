"""The second half of the plain wizard: everything is shown, applied when it is said so, proved."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from certtui import crash, output, workflow
from certtui.ask import farewell
from certtui.ask.interview import Interview
from certtui.detached import Detached
from certtui.errors import Ended, ExitCode, NeedsRoot
from certtui.plain.prompt import Back, out, read, say
from certtui.plain.question import every_answer
from certtui.plan.values import quoted

if TYPE_CHECKING:
    from certtui.change.apply import Consent
    from certtui.change.model import Preview, Step
    from certtui.workflow import Job


_MENDED = "Enter looks again, b goes back to the questions, = lists every answer, q leaves > "
_APPLY = "Type the word apply to go on, b for the questions, = for one of them, q to leave > "


class _Changed(Exception):
    """Answers were changed: everything is shown anew."""


def run(interview: Interview, ask_again: Callable[[Interview], None]) -> int:
    """Shows everything and waits for the word; ``b`` asks all again. Gives the exit code.

    Raises CerttuiError, and Left.
    """
    look = False
    while True:
        preview: Preview | None = None
        try:
            if look or interview.stale:
                interview.learn(interview.gather())
            look = False
            job = interview.job()
            preview = job.draft().preview
        except NeedsRoot as error:
            say(f"\n{error}")
            return _hand_over(interview)
        except Ended:
            raise
        except Exception as error:  # noqa: BLE001 - told to a person, who may look again
            say(f"\nThis cannot be applied: {crash.sentence(error)}")
        else:
            _show(interview, preview)
        try:
            if preview is None or preview.refusals:
                look = not _read(interview, _MENDED)
            else:
                return _decide(interview, job, preview)
        except _Changed:
            continue
        except Back:
            ask_again(interview)


def _show(interview: Interview, preview: Preview) -> None:
    facts = interview.facts
    host = f" of {facts.system.hostname}" if facts is not None else ""
    say(f"\nReview{host}: everything that would change; nothing is written yet.\n")
    say(output.preview_text(preview), end="")


def _read(interview: Interview, prompt: str) -> str:
    """One word. Raises Left, Back, and _Changed after ``=``."""
    word = read(prompt)
    if word == "=":
        every_answer(interview)
        raise _Changed
    return word


def _decide(interview: Interview, job: Job, preview: Preview) -> int:
    if not interview.session.may_apply:
        return _hand_over(interview)
    consent = _consent(interview, preview)
    while (word := _read(interview, _APPLY)) != "apply":
        say(f"{quoted(word)} is not the word apply; nothing was written." if word else "")
    return _carry_out(interview, job, preview, consent)


def _consent(interview: Interview, preview: Preview) -> Consent:
    from certtui.change.apply import Consent

    keep: set[str] = set()
    replace: set[str] = set()
    for change in preview.conflicts:
        say(f"{change.path}: {change.reason}")
        word = ""
        while word not in ("keep", "replace"):
            word = _read(interview, "   type keep or replace (undo brings it back) > ")
        (keep if word == "keep" else replace).add(change.path)
    return Consent(keep=frozenset(keep), replace=frozenset(replace))


def _hand_over(interview: Interview) -> int:
    path = interview.keep_plan()
    say(f"This user may not change the system. The plan is in {path}; next:")
    say(f"  sudo certtui apply {shlex.quote(path)}")
    return ExitCode.OK


def _step(step: Step) -> None:
    say(output.step_text(step))


def _carry_out(interview: Interview, job: Job, preview: Preview, consent: Consent) -> int:
    if interview.session.named:
        interview.keep_plan()
    try:
        result = Detached(job, consent, preview).run(_step)
    except (KeyboardInterrupt, Ended):
        say("the apply goes on by itself; the next start of certtui tells how it ended")
        raise
    interview.forget()
    say(output.applied_text(result, job.root))
    code = _prove(job) if interview.session.proves else ExitCode.OK
    if code not in (ExitCode.HANGUP, ExitCode.TERMINATED):
        say("\nRemember:")
        say("\n".join(f"  {line}" for line in farewell.remembered(interview)))
    return code


def _prove(job: Job) -> int:
    from certtui.renewal import report

    if not job.facts.lineages:
        then = " After the first: certtui dry-run" if job.live else ""
        say(f"No certificate yet, so nothing was proved.{then}")
        return ExitCode.OK
    say("\nDry run: every renewal is tried now, against a test server.\n")
    code, done = workflow.watch(job, lambda events: report.stream_text(events, out()))
    if done is not None and done.ok:
        say("\nSET UP AND PROVED.")
    return code
