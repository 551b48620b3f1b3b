"""What the terminal in hand can show: from the environment, the locale and terminfo(5)."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from certtui.charset import ascii_only, is_basic


@dataclass(frozen=True)
class Terminal:
    """One terminal. ``colours`` as terminfo has them; ``light`` is its background, if known."""

    name: str
    utf8: bool
    colours: int
    alternate: bool
    light: bool | None
    #: the user's wish of no colour at all (no-color.org)
    no_colour: bool

    @property
    def basic(self) -> bool:
        """Whether it may print a newer query instead of ignoring it."""
        return is_basic(self.name)


def look() -> Terminal:
    """The terminal of this process. Never fails: what is not known is taken for little."""
    name = os.environ.get("TERM", "")
    colours, alternate = _capabilities(name)
    return Terminal(
        name,
        not ascii_only(),
        colours,
        alternate,
        _light(name, os.environ.get("COLORFGBG", "")),
        bool(os.environ.get("NO_COLOR")),
    )


def _capabilities(name: str) -> tuple[int, bool]:
    """How many colours, and whether there is an alternate screen."""
    basic = is_basic(name)
    # A terminal newer than the host's terminfo: eight colours every one of them has.
    unknown = (0 if basic and name != "linux" else 8), not basic
    try:
        import curses
    except ImportError:  # a Python built without it
        return unknown
    try:
        curses.setupterm(name, _descriptor())
    except curses.error:
        return unknown
    return curses.tigetnum("colors"), bool(curses.tigetstr("smcup"))


def _descriptor() -> int:
    """A descriptor for setupterm(3X), which only asks it for its speed."""
    try:
        return sys.__stdout__.fileno() if sys.__stdout__ else 1
    except (OSError, ValueError):
        return 1


def _light(name: str, colorfgbg: str) -> bool | None:
    """Whether the background is light: as COLORFGBG ("0;15", of rxvt and Konsole) has it."""
    background = colorfgbg.rpartition(";")[2]
    if background.isdecimal():
        return int(background) in (7, *range(9, 16))
    return False if name.startswith("linux") else None
