"""The wizard as numbered questions: for dumb terminals, small windows and those who prefer it."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from certtui import crash, explain, welcome
from certtui import interview as talk
from certtui.errors import CerttuiError, ExitCode, NeedsRoot, UsageError
from certtui.interview import Interview
from certtui.plan.fields import Field, Kind

if TYPE_CHECKING:
    from certtui.change.apply import Consent
    from certtui.change.model import Preview
    from certtui.session import Session
    from certtui.workflow import Job


class _Left(Exception):
    """The administrator typed ``q``."""


class _Back(Exception):
    """The administrator typed ``b``."""


def run(session: Session) -> int:
    """Asks, shows, applies when ``apply`` is typed, proves; gives the exit code.

    Raises CerttuiError.
    """
    interview = Interview(session)
    try:
        _welcome(interview)
        _questions(interview)
        return _review(interview)
    except _Left:
        kept = " Your answers are kept for the next time." if session.keeps_draft else ""
        print(f"Left; nothing was written.{kept}")
        return ExitCode.OK


def _welcome(interview: Interview) -> None:
    session = interview.session
    print(f"certtui {session.note}".rstrip())
    if session.before:
        print(session.before)
    print("Looking at this host...", flush=True)
    interview.learn(interview.gather())
    for head, line in welcome.rows(interview):
        print(f"  {head:<13} {line}")
    if interview.resumed:
        print("Your answers of last time are taken up.")
    print("Enter accepts what stands in [ ]; - is none, b goes back, ? explains, q leaves.")


def _questions(interview: Interview) -> None:
    at = 0
    while at < len(asked := talk.pages(interview.values())):
        try:
            _ask(interview, asked[at])
            at += 1
        except _Back:
            at = max(0, at - 1)


def _ask(interview: Interview, field: Field, *, rare: bool = False) -> None:
    """One question until it is answered; ``rare`` for those behind ``o``. Raises _Left, _Back."""
    number = talk.steps().index(field.step) + 1
    more = [] if rare else talk.advanced(field.step, interview.values())
    note = f"   (o: {len(more)} rarely needed)" if more else ""
    print(f"\n{number}. {talk.step_title(field.step)}: {field.question}{note}")
    options = _options(interview, field)
    shown = _below(interview, field, [])
    while True:
        current = interview.values()[field.key]
        default = _default(field, current, options)
        text = _read(f"   [{default}] > ")
        if text == "?":
            print(f"   {field.help}")
            for choice in field.choices:
                print(f"   {choice.label:<18} {choice.help}")
            if field.kind in (Kind.STRINGS, Kind.MAPPING):
                print(f"   {talk.TYPED_AS_SHELL}; - for none")
        elif text == "o" and more:
            _ask_rare(interview, more)
            _ask(interview, field)
            return
        elif not text:
            problem = interview.problem(field.key, current)
            if not problem:
                return
            print(f"   This {problem}")
        else:
            try:
                value = _value(field, text, options)
            except ValueError as error:
                print(f"   {error}")
                continue
            problem = interview.give(field.key, value)
            if not problem:
                _below(interview, field, shown)
                return
            print(f"   {problem}")


def _below(interview: Interview, field: Field, before: list[str]) -> list[str]:
    """Prints what the answer leads to, unless that is what was printed before."""
    lines = explain.below(interview, field)
    if lines != before:
        print("".join(f"   {line}".rstrip() + "\n" for line in lines), end="")
    return lines


def _ask_rare(interview: Interview, more: list[Field]) -> None:
    """The rarely needed questions of a step; ``b`` leaves them."""
    try:
        for field in more:
            if field.applies(interview.values()):
                _ask(interview, field, rare=True)
    except _Back:
        return


def _options(interview: Interview, field: Field) -> list[Any]:
    if field.kind is Kind.BOOLEAN:
        print("   1  yes\n   2  no")
        return [True, False]
    if field.kind is not Kind.CHOICE:
        return []
    notes = explain.choices(interview, field)
    for number, choice in enumerate(field.choices, 1):
        print(f"   {number}  {choice.label:<18} {notes[choice.value]}")
    return [choice.value for choice in field.choices]


def _default(field: Field, current: Any, options: list[Any]) -> str:
    if options:
        return str(options.index(current) + 1)
    return talk.as_text(field, current)


def _value(field: Field, text: str, options: list[Any]) -> Any:
    """What was typed: a number of the list, or the value; ``-`` empties. Raises ValueError."""
    if options and text.isdecimal():
        if 1 <= int(text) <= len(options):
            return options[int(text) - 1]
        raise ValueError(f"{text}: type a number from 1 to {len(options)}")
    if options and text not in options:
        raise ValueError(f"{text}: type a number from 1 to {len(options)}")
    if text == "-" and field.kind in (Kind.TEXT, Kind.STRINGS, Kind.MAPPING):
        return talk.from_text(field, "")
    return talk.from_text(field, text)


def _read(prompt: str) -> str:
    """One answer. Raises _Left, _Back, and UsageError where the answers end."""
    try:
        text = input(prompt).strip()
    except EOFError:
        print()
        raise UsageError(
            "the answers ended before the last question; nothing was written"
        ) from None
    if text == "q":
        raise _Left
    if text == "b":
        raise _Back
    return text


def _review(interview: Interview) -> int:
    """Shows everything and waits for the word; going back from here asks all again."""
    from certtui import output

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
                _read("b goes back to the questions, q leaves > ")
                continue
            return _decide(interview, job, preview)
        except _Back:
            _questions(interview)


def _decide(interview: Interview, job: Job, preview: Preview) -> int:
    if not interview.session.may_apply:
        return _hand_over(interview)
    consent = _consent(preview)
    while (word := _read("Type the word apply to go on, b for the questions, q to leave > ")) != (
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
        while (word := _read("   type keep or replace (undo brings it back) > ")) not in (
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
    from certtui import output

    if interview.session.named:
        interview.keep_plan()
    result = job.apply(output.print_step, consent=consent, approved=preview)
    interview.forget()
    print(output.applied_text(result, job.root))
    return _prove(job) if interview.session.proves else ExitCode.OK


def _prove(job: Job) -> int:
    from certtui.renewal import report

    if not job.facts.lineages:
        print("No certificate yet, so nothing was proved. After the first: certtui dry-run")
        return ExitCode.OK
    print("\nDry run: every renewal is tried now, against a test server.\n", flush=True)
    done = report.stream_text(job.dry_run(threading.Event()), sys.stdout)
    if done.ok:
        print("\nSET UP AND PROVED. Remember: certtui status, certtui doctor, certtui undo")
    return int(report.exit_code(done))
