"""A page of text over another: help, the whole diff, a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from certtui.tui.body import Body, Keys
from certtui.tui.frame import rule
from certtui.tui.lines import Lines, StyleOf, no_style


class Text(Body, can_focus=False):
    """Lines to read; Esc goes back to where one was."""

    #: what Esc does, for the last line
    _back: ClassVar[str] = "back"
    #: other keys that it names
    _others: ClassVar[Keys] = []

    def __init__(self, heading: str, lines: Sequence[str], style: StyleOf = no_style) -> None:
        super().__init__()
        self.heading = heading
        self._lines = lines
        self._style_of = style

    def compose(self) -> ComposeResult:
        yield Static(classes="rule", markup=False)
        yield Lines(self._lines, style=self._style_of)

    def on_mount(self) -> None:
        self.query_one(Lines).focus()

    def moved(self) -> None:
        lines = self.query_one(Lines)
        self.query_one(".rule", Static).update(rule(self.heading, lines.position, self.size.width))

    def works(self) -> Keys:
        more: Keys = [("PgDn", "scroll")] if self.query_one(Lines).max_scroll_y > 0 else []
        return [("Esc", self._back), *more, *self._others]

    def may_leave(self) -> bool:
        return self.wizard.below(self).may_leave()

    @property
    def leaving(self) -> str:  # type: ignore[override]
        """As on the page below."""
        return self.wizard.below(self).leaving


class Fault(Text):
    """certtui's own fault: what it was, where the report is, and that nothing is lost."""

    _others: ClassVar[Keys] = [("q", "quit")]

    def __init__(self, sentence: str) -> None:
        lines = [
            *(sentence[:1].upper() + sentence[1:]).split("; "),
            "",
            "Your answers are kept, and nothing was written that is not taken back.",
            "The report names the place in the program; it is readable by you alone.",
            "Esc goes back: another answer, or the same once more, may well get through.",
        ]
        super().__init__("An error inside certtui", lines)


class WholeDiff(Text, can_focus=False):
    """Every diff and command, to read."""

    _back: ClassVar[str] = "back to Review, where a applies"
