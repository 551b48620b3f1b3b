"""The wizard as numbered questions: for dumb terminals, small windows and those who prefer it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from certtui import crash, detached, output
from certtui.ask import farewell, welcome
from certtui.ask import interview as talk
from certtui.ask.interview import Interview
from certtui.errors import Ended, ExitCode
from certtui.plain import review
from certtui.plain.prompt import Back, Left, RanOut, read, say
from certtui.plain.question import ask

if TYPE_CHECKING:
    from certtui.ask.session import Session
    from certtui.change.model import Step
    from certtui.host.facts import Facts


def run(session: Session) -> int:
    """Asks, shows, applies when ``apply`` is typed, proves; gives the exit code.

    Raises CerttuiError.
    """
    interview = Interview(session)
    code: int = ExitCode.OK
    try:
        _welcome(interview)
        _questions(interview)
        code = review.run(interview, _questions)
    except Left:
        say(f"Left; nothing was written. {farewell.kept(interview)}".rstrip())
        # Who leaves because this host cannot be looked at was not served.
        code = ExitCode.OK if interview.facts is not None else ExitCode.FAILED
    except RanOut as error:
        raise RanOut("\n".join(filter(None, (str(error), farewell.kept(interview))))) from None
    if code not in (ExitCode.HANGUP, ExitCode.TERMINATED):
        detached.seen(session.root)
    return code


def _welcome(interview: Interview) -> None:
    session = interview.session
    say(f"certtui {session.note}".rstrip())
    if session.before:
        say(session.before)
    if session.unseen:
        say(detached.unseen(session.root, _step, threading.Event()))
    facts = _look(interview)
    say(f"  {'Host':<13} {facts.system.hostname}")
    for head, line in welcome.rows(interview):
        say(f"  {head:<13} {line}")
    if not session.may_apply:
        say(welcome.NOT_ROOT)
    if interview.resumed:
        say("Your answers of last time are taken up.")
    say("Enter accepts what stands in [ ], - is none, b goes back, = lists every answer,")
    say("? explains, q leaves.")


def _step(step: Step) -> None:
    say(output.step_text(step))


def _look(interview: Interview) -> Facts:
    """Looks at the host until that works, or somebody leaves. Raises Left."""
    while True:
        say("Looking at this host...")
        try:
            interview.learn(facts := interview.gather())
            return facts
        except Ended:
            raise
        except Exception as error:  # noqa: BLE001 - told to a person, who may look again
            say(f"This host could not be looked at: {crash.sentence(error)}")
        _again()


def _again() -> None:
    while True:
        try:
            read("Enter looks again, q leaves > ")
            return
        except Back:
            continue  # there is nothing before this


def _questions(interview: Interview) -> None:
    """All of them in order; an answer may add to those that follow, or take some away."""
    at = 0
    while at < len(asked := talk.pages(interview.values())):
        try:
            if ask(interview, asked[at]):
                at += 1
            else:
                # The one in hand, or where it would stand if it is not asked any more.
                at = sum(field in asked[:at] for field in talk.pages(interview.values()))
        except Back:
            at = max(0, at - 1)
