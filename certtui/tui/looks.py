"""Colours and characters for the terminal in hand: one filter that everything drawn goes through.

The screens use the terminal's own sixteen colours by their usual names (green is new, red is gone,
cyan is beside the point). Which of them can be read depends on the background, so the filter says
which colour stands for which; it takes all of them away where there are to be none. And no
character leaves that the terminal cannot show, whoever it came from: certbot, a file, a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

from certtui import terminal
from certtui.ask.preferences import Preferences
from certtui.terminal import Terminal
from certtui.tui.driver import TerminalDriver

BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE = range(8)
BRIGHT = 8

#: Colours that cannot be read on a background, and those that stand for them; None is the colour of
#: plain text. On a light background no bright colour can: each is its darker self first.
_ON_DARK: dict[int, int | None] = {
    BLACK: WHITE,
    RED: BRIGHT + RED,
    YELLOW: BRIGHT + YELLOW,
    BLUE: BRIGHT + BLUE,
    MAGENTA: BRIGHT + MAGENTA,
    BRIGHT: WHITE,
}
_ON_LIGHT: dict[int, int | None] = {GREEN: BLUE, CYAN: BLUE, YELLOW: MAGENTA, WHITE: BLACK}
#: Where the background is not known, over ssh mostly: what can be read on both. Green is as pale on
#: white as git's, which everybody knows.
_ON_EITHER: dict[int, int | None] = {
    BLACK: None,
    WHITE: None,
    RED: BRIGHT + RED,
    YELLOW: MAGENTA,
    BLUE: BRIGHT + BLUE,
    CYAN: BRIGHT + BLUE,
}

#: Styles that are remembered; a position on the screen is part of some.
_MOST = 4096


@dataclass(frozen=True)
class Look:
    """What a terminal gets.

    ``light`` is its background, None if that is not known. ``bright``: it has sixteen colours, not
    the eight of old.
    """

    colour: bool
    light: bool | None
    bright: bool
    ascii: bool


def choose(colours: str, found: Terminal) -> Look:
    """The look that is wished for (auto, dark, light or none) on a terminal.

    A wish wins over NO_COLOR, as https://no-color.org has it for a program's own settings.
    """
    enough = found.colours >= 8 and not found.no_colour
    return Look(
        colour=colours in ("dark", "light") or (colours == "auto" and enough),
        light=found.light if colours == "auto" else colours == "light",
        bright=found.colours >= 16,
        ascii=not found.utf8,
    )


class Fit(LineFilter):
    """Makes what was drawn fit the look, cell for cell. A look has a filter of its own.

    Textual keeps what a filter made, by the filter's identity.
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._styles: dict[Style, Style] = {}

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with other styles and characters, in the same cells."""
        del background
        return [
            Segment(self.text(text), style and self.style(style), control)
            for text, style, control in segments
        ]

    def text(self, text: str) -> str:
        """A text without what the terminal cannot show or would act on."""
        if text.isprintable() and (text.isascii() or not self._look.ascii):
            return text
        return "".join(self._character(character) for character in text)

    def _character(self, character: str) -> str:
        if character.isprintable() and (character.isascii() or not self._look.ascii):
            return character
        # A combining mark has no cell of its own, a Chinese character has two.
        return ("?" if character.strip() else " ") * cell_len(character)

    def style(self, style: Style) -> Style:
        """A style in colours that can be read."""
        known = self._styles.get(style)
        if known is None:
            if len(self._styles) >= _MOST:
                self._styles.clear()
            known = self._styles[style] = self._fitted(style)
        return known

    def _fitted(self, style: Style) -> Style:
        if not self._look.colour:
            # What stands out by its background must do so still. Textual's own option list
            # loses "reverse" from a style sheet.
            marked = style.bgcolor is not None and not style.bgcolor.is_default
            return style.without_color + Style(reverse=True) if marked else style.without_color
        front, back = _number(style.color), _number(style.bgcolor)
        plain = False
        if front is not None and back is None:
            front = self._readable(front)
            plain = front is None
        bold = None
        if not self._look.bright:
            # Eight colours: bold is what makes a colour bright (console_codes(4)).
            bold = True if front is not None and front >= BRIGHT else None
            front, back = _dull(front), _dull(back)
        return style + Style(
            color=_PLAIN if plain else _colour(front), bgcolor=_colour(back), bold=bold
        )

    def _readable(self, number: int) -> int | None:
        """The colour in which it can be read on the background of the terminal; None is plain."""
        if self._look.light is False:
            return _ON_DARK.get(number, number)
        dark = number - BRIGHT if number >= BRIGHT else number
        if self._look.light:
            return _ON_LIGHT.get(dark, dark)
        found = _ON_EITHER.get(dark, dark)
        # Of eight colours none is a blue for dark backgrounds: bold does not always make it bright.
        return None if found == BRIGHT + BLUE and not self._look.bright else found


_PLAIN = RichColor.default()


def _colour(number: int | None) -> RichColor | None:
    return None if number is None else RichColor.from_ansi(number)


def _number(color: RichColor | None) -> int | None:
    """Which of the sixteen, if it is one of them."""
    return color.number if color is not None and not color.is_default else None


def _dull(number: int | None) -> int | None:
    return None if number is None else number % BRIGHT


class Dressed(App[int]):
    """An app whose every line goes through one :class:`Fit`."""

    def __init__(self, preferences: Preferences) -> None:
        #: what it is shown on
        self.terminal = terminal.look()
        #: what is said on the normal screen on leaving, where something has to be waited for
        self.parting = ""
        super().__init__(driver_class=TerminalDriver, ansi_color=True)
        self.dress(preferences)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """In place of Textual's own, whose NoColor sends "default colours" with every piece."""
        return self._worn

    def dress(self, preferences: Preferences) -> None:
        """Puts on the colours of the preferences, at once."""
        look = choose(preferences.colours, self.terminal)
        self._worn: Sequence[LineFilter] = (Fit(look),)
        # Style sheets ask for it as :nocolor.
        self.no_color = not look.colour
        self.theme = "ansi-light" if look.light else "ansi-dark"
        if self.is_running:
            self.refresh_css(animate=False)
