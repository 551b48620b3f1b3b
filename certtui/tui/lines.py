"""A list of lines drawn by Textual's line API: the diff, the log and long texts.

RichLog is twenty times slower, and a horizontal scrollbar costs 16 KB on every start over SSH; here
long lines are folded at the width, and only the rows in view are ever drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

StyleOf = Callable[[str], Style]

#: Lines kept; the full log is on disk.
MOST = 20_000

_PLAIN = Style()


def no_style(line: str) -> Style:
    """Every line as it is."""
    del line
    return _PLAIN


def diff_style(line: str) -> Style:
    """The colour of a line of a unified diff; the sign in the first column says the same."""
    if line.startswith(("+++", "---", "#", "$")):
        return Style(bold=True)
    if line.startswith("+"):
        return Style(color="green")
    if line.startswith("-"):
        return Style(color="red")
    if line.startswith("@@"):
        return Style(color="cyan")
    return _PLAIN


def visible(line: str) -> str:
    """A line without what a terminal would act on: files and programs are not to be trusted."""
    line = line.expandtabs(8)
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)


class Lines(ScrollView, can_focus=True):
    """Lines, folded at the width; follows the end when asked to."""

    class Moved(Message):
        """The rows in view changed."""

    def __init__(
        self, lines: Iterable[str] = (), *, style: StyleOf = no_style, id: str = ""
    ) -> None:
        super().__init__(id=id or None)
        self._style_of = style
        self._lines: list[str] = [visible(line) for line in lines]
        self._rows: list[tuple[str, Style]] = []
        self._width = 0
        self.follow = False

    @property
    def position(self) -> str:
        """Which rows are in view, such as "1-14 of 62"; empty where there are none."""
        total = len(self._rows)
        if not total:
            return ""
        top = min(self.scroll_offset.y, max(0, total - 1))
        return f"{top + 1}-{min(top + self.size.height, total)} of {total}"

    def replace(self, lines: Iterable[str], style: StyleOf | None = None) -> None:
        """Shows other lines, from the top."""
        self._style_of = style or self._style_of
        self._lines = [visible(line) for line in lines]
        self._refold()
        self.scroll_to(y=0, animate=False, force=True)
        self._told()

    def extend(self, lines: Iterable[str]) -> None:
        """Adds lines at the end."""
        added = [visible(line) for line in lines]
        self._lines += added
        if len(self._lines) > MOST:
            del self._lines[: len(self._lines) - MOST]
            self._refold()
        elif self._width:
            for line in added:
                self._rows += self._fold(line)
            self._grown()
        if self.follow:
            self.scroll_end(animate=False, force=True, immediate=True)
        self._told()

    def on_resize(self, event: events.Resize) -> None:
        """Folds anew at the new width."""
        del event
        if self.size.width != self._width:
            self._refold()
            if self.follow:
                self.scroll_end(animate=False, force=True, immediate=True)
        self._told()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._told()

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        row = self.scroll_offset.y + y
        width = self.size.width
        base = self.rich_style
        if row >= len(self._rows):
            return Strip.blank(width, base)
        text, style = self._rows[row]
        return Strip([Segment(text, base + style)]).adjust_cell_length(width, base)

    def _refold(self) -> None:
        self._width = self.size.width
        self._rows = [row for line in self._lines for row in self._fold(line)]
        self._grown()

    def _grown(self) -> None:
        self.virtual_size = Size(self._width, len(self._rows))
        self.refresh()

    def _fold(self, line: str) -> list[tuple[str, Style]]:
        style = self._style_of(line)
        if self._width < 1 or cell_len(line) <= self._width:
            return [(line, style)]
        return [(part, style) for part in chop_cells(line, self._width)]

    def _told(self) -> None:
        if self.is_mounted:
            self.post_message(self.Moved())
