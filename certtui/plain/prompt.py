"""One typed answer of the plain wizard, the ways out of a question, and all that it prints."""

from __future__ import annotations

import sys
from typing import TextIO, cast

from certtui.errors import UsageError
from certtui.host.visible import visible


class Left(Exception):
    """The administrator typed ``q``."""


class Back(Exception):
    """The administrator typed ``b``."""


class RanOut(UsageError):
    """The answers ended: Ctrl+D, or the end of a pipe."""


class _Visible:
    """A stream that shows what a terminal would act on instead of sending it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = stream.encoding

    def write(self, text: str) -> int:
        """Lines end as they do; everything else in them can be seen."""
        return self._stream.write("\n".join(map(visible, text.split("\n"))))

    def flush(self) -> None:
        self._stream.flush()


def out() -> TextIO:
    """Where the plain wizard writes.

    Names, file contents and what programs say come from the host, and may hold what clears a
    screen: nothing the plain wizard prints goes to the terminal on another way than this.
    """
    return cast("TextIO", _Visible(sys.stdout))


def say(text: str = "", end: str = "\n") -> None:
    """Prints some lines, at once."""
    print(text, end=end, file=out(), flush=True)


def read(prompt: str) -> str:
    """One answer. Raises Left, Back, and RanOut where the answers end."""
    try:
        text = input(visible(prompt)).strip()
    except EOFError:
        say()
        raise RanOut("the answers ended before the last question; nothing was written") from None
    if text == "q":
        raise Left
    if text == "b":
        raise Back
    return text
