"""A list of lines drawn by Textual's line API: the diff, the log and long texts.

RichLog is twenty times slower, and a horizontal scrollbar costs 16 KB on every start over SSH; here
long lines are folded at the width, and only the rows in view are ever drawn. However many lines
come, the last :data:`MOST` are kept, and adding one costs the same whatever is there already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

StyleOf = Callable[[str], Style]

#: Lines kept; the full log is on disk. And how many more may gather before the oldest go.
MOST, SLACK = 20_000, 2_000

#: A row of the screen: a line that fits; or a part of one, the whole, and where in it that begins.
Row = str | tuple[str, str, int]

_PLAIN = Style()


def no_style(line: str) -> Style:
    """Every line as it is."""
    del line
    return _PLAIN


def diff_style(line: str) -> Style:
    """The colour of a line of a unified diff; the sign in the first column says the same."""
    if line.startswith(("+++ ", "--- ", "#", "$")):
        return Style(bold=True)
    if line.startswith("+"):
        return Style(color="green")
    if line.startswith("-"):
        return Style(color="red")
    if line.startswith("@@"):
        return Style(color="magenta")
    return _PLAIN


def visible(line: str) -> str:
    """A line without what a terminal would act on: files and programs are not to be trusted."""
    line = line.expandtabs(8)
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)


def _end(line: str, at: int, width: int) -> int:
    """Where the row that begins at ``at`` ends: behind a blank of its second half, else full."""
    full = at + width
    blank = line.rfind(" ", at + width // 2, full) if full < len(line) else -1
    return blank + 1 or full


def fold(line: str, width: int) -> list[Row]:
    """The rows of a line in ``width`` columns (0: not known yet); between words if it can."""
    plain = line.isascii()
    if width < 1 or (len(line) if plain else cell_len(line)) <= width:
        return [line]
    rows: list[Row] = []
    at = 0
    if plain:
        while at < len(line):
            end = _end(line, at, width)
            rows.append((line[at:end], line, at))
            at = end
        return rows
    for part in chop_cells(line, width):
        rows.append((part, line, at))
        at += len(part)
    return rows


class Lines(ScrollView, can_focus=True):
    """Lines, folded at the width; follows the end when asked to, until somebody scrolls up."""

    class Moved(Message):
        """The rows in view changed."""

    def __init__(
        self, lines: Iterable[str] = (), *, style: StyleOf = no_style, id: str = ""
    ) -> None:
        super().__init__(id=id or None)
        self._style_of = style
        self._lines: list[str] = [visible(line) for line in lines]
        self._rows: list[Row] = []
        self._width = 0
        #: lines that are gone; where there are any, the first of those kept says so
        self._lost = 0
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
        self._lost = 0
        self._refold()
        self.scroll_to(y=0, animate=False, force=True)
        self._told()

    def extend(self, lines: Sequence[str], *, lost: int = 0) -> None:
        """Adds lines at the end, before which ``lost`` others were left out."""
        added = [visible(line) for line in lines[-MOST:]]
        lost += len(lines) - len(added)
        if lost:
            self._drop(len(self._lines), lost)
        shown = len(self._rows)
        self._lines += added
        if self._width:
            for line in added:
                self._rows += fold(line, self._width)
        if len(self._lines) > MOST + SLACK:
            self._drop(len(self._lines) - MOST)
            shown = 0
        self._grown(shown)
        self._told()

    def _drop(self, count: int, more: int = 0) -> None:
        """The oldest lines go, and ``more`` that never were here; what is in view stays."""
        gone = sum(len(fold(line, self._width)) for line in self._lines[:count])
        self._lost += count + more - bool(self._lost)
        note = f"({self._lost} earlier lines are only in the full log)"
        added = fold(note, self._width)
        self._lines[:count] = [note]
        if self._width:
            self._rows[:gone] = added
            top = max(0, self.scroll_offset.y - gone + len(added))
            self.scroll_to(y=top, animate=False, force=True)

    def on_resize(self, event: events.Resize) -> None:
        """Folds anew at the new width; the line at the top stays there."""
        del event
        if self.size.width != self._width:
            before = self._rows[: self.scroll_offset.y + 1]
            top = sum(isinstance(row, str) or not row[2] for row in before) - 1
            self._refold()
            if self.scroll_offset.y and not self.follow:
                above = sum(len(fold(line, self._width)) for line in self._lines[:top])
                self.scroll_to(y=above, animate=False, force=True)
        elif self.follow:
            self.scroll_end(animate=False, force=True, immediate=True)
        self._told()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._told()

    # -- following -----------------------------------------------------------------------------

    def action_scroll_up(self) -> None:
        self._pause()
        super().action_scroll_up()

    def action_page_up(self) -> None:
        self._pause()
        super().action_page_up()

    def action_scroll_home(self) -> None:
        self._pause()
        super().action_scroll_home()

    def on_mouse_scroll_up(self) -> None:
        """The wheel reads back as PgUp does."""
        self._pause()

    def _pause(self) -> None:
        if self.follow and self.max_scroll_y:
            self.follow = False
            self._told()

    # -- drawing -------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        at = self.scroll_offset.y + y
        width = self.size.width
        base = self.rich_style
        row = self._rows[at] if at < len(self._rows) else ""
        text, line = (row, row) if isinstance(row, str) else row[:2]
        style = base + self._style_of(line)
        # In one piece: a style that ends and begins again costs 16 bytes on every row.
        text += " " * (width - (len(text) if text.isascii() else cell_len(text)))
        return Strip([Segment(text, style)]).adjust_cell_length(width, base)

    def _refold(self) -> None:
        self._width = self.size.width
        self._rows = [row for line in self._lines for row in fold(line, self._width)]
        self._grown(0)

    def _grown(self, shown: int) -> None:
        """There are rows after the first ``shown``; those below the ones in view cost nothing."""
        self.virtual_size = Size(self._width, len(self._rows))
        if self.follow:
            self.scroll_end(animate=False, force=True, immediate=True)
        if self.follow or shown < self.scroll_offset.y + self.size.height:
            self.refresh()

    def _told(self) -> None:
        if self.is_mounted:
            self.post_message(self.Moved())
