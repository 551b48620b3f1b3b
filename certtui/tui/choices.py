"""A list to choose from whose cursor and state can be read as text, without any colour."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

if TYPE_CHECKING:
    from certtui.tui.app import WizardApp


@dataclass(frozen=True)
class Row:
    """One line: ``text`` beside its ``note``; the note folds under itself."""

    text: str
    note: str = ""


class ChoiceList(OptionList):
    """Rows with a ``>`` at the cursor; with ``radio`` ``(*)`` in the row of the answer, too.

    Where they do not all fit, the line below them says how many are out of view.
    """

    class Cut(Message):
        """Rows went out of view, or all are in view again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown", "app.page(1)", show=False),
        Binding("pageup", "app.page(-1)", show=False),
    ]

    def __init__(
        self, rows: Sequence[Row], *, at: int = 0, radio: bool = False, id: str = ""
    ) -> None:
        super().__init__(markup=False, id=id or None)
        self._rows = list(rows)
        self._radio = radio
        self._start = at
        self._width = 0
        #: whether the cursor of the page is here, and not on a word outside
        self._here = True

    def on_mount(self) -> None:
        self._fill(self._start)

    def on_focus(self) -> None:
        """The cursor comes in."""
        self._here = True
        self._mark()

    def on_blur(self) -> None:
        """The cursor goes elsewhere: there is never a second one to be seen; the choice stays."""
        self._here = False
        self._mark()

    def on_resize(self, event: events.Resize) -> None:
        """Notes fold at the new width."""
        del event
        if self.size.width != self._width:
            self._fill(self.highlighted or 0)
            # Asked for while it is laid out, another layout would be lost.
            self.call_after_refresh(self.refresh, layout=True)
        self.call_after_refresh(self.scroll_to_highlight)
        self._measured()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._measured()

    def rows(self, rows: Sequence[Row]) -> None:
        """Other rows, the cursor where it was."""
        at = self.highlighted or 0
        if list(rows) != self._rows:
            self._rows = list(rows)
            self._fill(min(at, len(self._rows) - 1))

    def watch_highlighted(self, highlighted: int | None) -> None:
        """Moves the marks with the cursor."""
        super().watch_highlighted(highlighted)
        self._mark()

    def _mark(self) -> None:
        for index in range(self.option_count):
            prompt = self._prompt(index)
            if self.get_option_at_index(index).prompt != prompt:
                self.replace_option_prompt_at_index(index, prompt)

    def _fill(self, at: int) -> None:
        self._width = self.size.width
        with self.prevent(OptionList.OptionHighlighted):
            self.clear_options()
            self.add_options([Option(self._prompt(index, at)) for index in range(len(self._rows))])
            self.highlighted = at if self._rows else None
        self._measured()

    def action_select(self) -> None:
        """Enter; a list without rows leaves it to the page, which may have nothing to do."""
        if self.highlighted is None:
            cast("WizardApp", self.app).action_accept()
        else:
            super().action_select()

    @property
    def overflows(self) -> bool:
        """Whether there are rows out of view."""
        return self.has_class("-cut")

    def _measured(self) -> None:
        if self.is_attached:
            self.call_after_refresh(self._count)

    def _count(self) -> None:
        """How many rows are out of view, in words, in a line that takes its room from the list."""
        height = self.outer_size.height
        cut = height > 2 and self.virtual_size.height > height
        if cut != self.overflows:
            self.set_class(cut, "-cut")
            self.post_message(self.Cut())
        top, bottom = self.scroll_offset.y, self.scroll_offset.y + self.size.height
        lines = self._line_cache.index_to_line
        heights = self._line_cache.heights
        above = sum(at < top for at in lines.values())
        below = sum(at + heights[index] > bottom for index, at in lines.items())
        parts = [f"{n} more {where}" for n, where in ((above, "above"), (below, "below")) if n]
        self.border_subtitle = f"({', '.join(parts)})" if parts else ""

    def _prompt(self, index: int, at: int | None = None) -> str:
        here = index == (self.highlighted if at is None else at)
        head = "> " if here and self._here else "  "
        if self._radio:
            head += "(*) " if here else "( ) "
        row = self._rows[index]
        if not row.note:
            return head + row.text
        column = max(len(other.text) for other in self._rows if other.note) + 3
        head += row.text.ljust(column)
        room = max(20, (self._width or 80) - len(head))
        lines = textwrap.wrap(row.note, room, break_on_hyphens=False) or [""]
        return head + ("\n" + " " * len(head)).join(lines)
