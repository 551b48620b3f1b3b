"""A page of text over another: help, the whole diff, a report."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widgets import Static

from certtui.tui.body import Body, Keys
from certtui.tui.frame import rule
from certtui.tui.lines import Lines, StyleOf, no_style


class Text(Body, can_focus=False):
    """Lines to read; Esc goes back to where one was."""

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
        return [("Esc", "back"), ("PgDn", "scroll")]

    def may_leave(self) -> bool:
        return self.wizard.below(self).may_leave()

    def may_interrupt(self) -> bool:
        return self.wizard.below(self).may_interrupt()
