"""What can be tried out at a question before it is answered, found by the question's key."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certtui.errors import CerttuiError, Refused

if TYPE_CHECKING:
    from certtui.ask.interview import Interview


@dataclass(frozen=True)
class Trial:
    """``name`` stands in the line of keys, ``doing`` while it lasts; ``help`` is for ``?``.

    ``lacks`` says why it cannot be tried with these answers, or "". ``run`` blocks: it gives what
    came of it as lines, and hurries once the event is set. Raises CerttuiError, OSError.
    """

    name: str
    doing: str
    help: str
    lacks: Callable[[Interview], str]
    run: Callable[[Interview, threading.Event], list[str]]


def _no_address(interview: Interview) -> str:
    return "" if interview.values()["mail.to"] else "type an address first"


def _mail(interview: Interview, left: threading.Event) -> list[str]:
    from certtui.ask import testmail
    from certtui.change.packages import install_argv

    values, facts, session = interview.values(), interview.facts, interview.session
    assert facts is not None
    if session.mails_from is not None:
        host = session.mails_from()
    elif session.root == "/":
        from certtui.host.interface import RealHost

        host = RealHost()
    else:
        raise Refused("No mail is sent here: this set-up is for a folder, not for this machine")
    answer = testmail.send(
        values["mail.to"],
        values["mail.from"],
        values["certbot.env"],
        hostname=facts.system.hostname,
        host=host,
        left=left,
    )
    install = " ".join(install_argv(facts, "mail")) or "install a mailer"
    return testmail.sentences(answer, values["mail.to"], install)


TRIALS: Mapping[str, Trial] = {
    "mail.to": Trial(
        "test mail",
        "Sending a test mail, at most 60 s...",
        "sends a test mail now, as the renew script would, and shows the mailer's answer",
        _no_address,
        _mail,
    ),
}


def now(interview: Interview, trial: Trial) -> list[str]:
    """What comes of it, waited for, where nothing else goes on: the plain wizard."""
    problem = trial.lacks(interview)
    if problem:
        return [f"{problem[0].upper()}{problem[1:]}."]
    print(trial.doing, flush=True)
    try:
        return trial.run(interview, threading.Event())
    except (CerttuiError, OSError) as error:
        return [str(error)]
