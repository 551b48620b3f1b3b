"""What both wizards say at their end: what to remember, and what becomes of the answers."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certtui.ask.interview import Interview


def live(interview: Interview) -> bool:
    """Whether this is about the machine itself, which the commands then speak of."""
    return interview.session.root == "/"


def remember(interview: Interview) -> list[tuple[str, str]]:
    """The commands to remember, and what each does: only those that work where this was set up."""
    session = interview.session
    if session.note == "demo":
        return [("sudo certtui", "on a server: this folder is gone when the demo ends")]
    if not live(interview):
        below = f"--root {shlex.quote(session.root)}"
        return [
            (f"certtui diff {below}", "what differs from the plan"),
            (f"certtui undo {below}", "puts back what was there before"),
        ]
    return [
        ("certtui status", "certificates, next and last runs"),
        ("certtui doctor", "checks that the next renewal will happen"),
        ("certtui drill", "proves that news of a failure reaches you"),
        ("certtui undo", "puts back what was there before"),
    ]


def remembered(interview: Interview) -> list[str]:
    """The same as lines."""
    commands = remember(interview)
    width = max(len(command) for command, _ in commands)
    return [f"{command:<{width}}   {what}" for command, what in commands]


def kept(interview: Interview) -> str:
    """A sentence about answers that were not applied; "" where there are none to keep."""
    if not interview.session.keeps_draft or not interview.given:
        return ""
    return unkept(interview) or "Your answers are kept for the next time."


def unkept(interview: Interview) -> str:
    """A sentence where answers that were not applied are lost, else ""."""
    return f"Your answers could not be kept: {interview.unsaved}" if interview.unsaved else ""
