"""One typed answer of the plain wizard, and the two ways out of a question."""

from __future__ import annotations

from certtui.errors import UsageError


class Left(Exception):
    """The administrator typed ``q``."""


class Back(Exception):
    """The administrator typed ``b``."""


def read(prompt: str) -> str:
    """One answer. Raises Left, Back, and UsageError where the answers end."""
    try:
        text = input(prompt).strip()
    except EOFError:
        print()
        raise UsageError(
            "the answers ended before the last question; nothing was written"
        ) from None
    if text == "q":
        raise Left
    if text == "b":
        raise Back
    return text
