"""The wizard as numbered questions: for dumb terminals, small windows and those who prefer it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from certtui import detached, explain, helps, output, plain_review, trials, welcome
from certtui import interview as talk
from certtui.errors import ExitCode
from certtui.interview import Interview
from certtui.plan.fields import Field, Kind
from certtui.prompt import Back, Left, read

if TYPE_CHECKING:
    from certtui.session import Session


def run(session: Session) -> int:
    """Asks, shows, applies when ``apply`` is typed, proves; gives the exit code.

    Raises CerttuiError.
    """
    interview = Interview(session)
    code: int = ExitCode.OK
    try:
        _welcome(interview)
        _questions(interview)
        code = plain_review.run(interview, _questions)
    except Left:
        kept = " Your answers are kept for the next time." if session.keeps_draft else ""
        print(f"Left; nothing was written.{kept}")
    if code not in (ExitCode.HANGUP, ExitCode.TERMINATED):
        detached.seen(session.root)
    return code


def _welcome(interview: Interview) -> None:
    session = interview.session
    print(f"certtui {session.note}".rstrip())
    if session.before:
        print(session.before)
    if session.unseen:
        print(detached.unseen(session.root, output.print_step, threading.Event()))
    print("Looking at this host...", flush=True)
    interview.learn(interview.gather())
    for head, line in welcome.rows(interview):
        print(f"  {head:<13} {line}")
    if not session.may_apply:
        print(welcome.NOT_ROOT)
    if interview.resumed:
        print("Your answers of last time are taken up.")
    print("Enter accepts what stands in [ ]; - is none, b goes back, ? explains, q leaves.")


def _questions(interview: Interview) -> None:
    at = 0
    while at < len(asked := talk.pages(interview.values())):
        try:
            _ask(interview, asked[at])
            at += 1
        except Back:
            at = max(0, at - 1)


def _ask(interview: Interview, field: Field, *, rare: bool = False) -> None:
    """One question until it is answered; ``rare`` for those behind ``o``. Raises Left, Back."""
    number = talk.steps().index(field.step) + 1
    more = [] if rare else talk.advanced(field.step, interview.values())
    trial = trials.TRIALS.get(field.key)
    note = f"   (o: {len(more)} rarely needed)" if more else ""
    note += f"   (t, or t ANSWER: {trial.name})" if trial else ""
    print(f"\n{number}. {talk.step_title(field.step)}: {field.question}{note}")
    options = _options(interview, field)
    shown = _below(interview, field, [])
    while True:
        current = interview.values()[field.key]
        default = _default(field, current, options)
        text = read(f"   [{default}] > ")
        if text == "?":
            print("".join(f"   {line}".rstrip() + "\n" for line in helps.more(field.key)), end="")
            print(f"   {field.help}")
            for choice in field.choices:
                print(f"   {choice.label:<18} {choice.help}")
            if field.kind in (Kind.STRINGS, Kind.MAPPING):
                print(f"   {talk.TYPED_AS_SHELL}; - for none")
        elif text == "o" and more:
            _ask_rare(interview, more)
            _ask(interview, field)
            return
        elif trial and text.split()[:1] == ["t"]:
            problem = interview.give(field.key, text[1:].strip() or current)
            said = [problem] if problem else trials.now(interview, trial)
            print("\n".join(f"   {line}" for line in said))
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
    except Back:
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
