"""Every answer in a list: Enter goes to its question."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widgets import Static

from certtui.ask import interview as talk
from certtui.ask import preferences
from certtui.plan.fields import FIELDS, Field
from certtui.tui.body import Body, Keys
from certtui.tui.choices import ChoiceList, Row


class Answers(Body, can_focus=False):
    """All answers, or the rarely needed ones of a step."""

    def __init__(self, fields: Sequence[Field] | None, heading: str) -> None:
        super().__init__()
        self._given = fields
        self._heading = heading
        self._fields: list[Field] = []

    def compose(self) -> ComposeResult:
        yield Static(self._heading, classes="heading tight", markup=False)
        yield ChoiceList(self._rows())

    def works(self) -> Keys:
        found = list(self.query(ChoiceList))
        more: Keys = [("PgDn", "more")] if found and found[0].overflows else []
        return [("Enter", "change"), *more, ("Esc", "back"), ("?", "help"), ("q", "quit")]

    def on_choice_list_cut(self) -> None:
        """PgDn is worth naming now, or no more."""
        self.wizard.refresh_frame()

    def help(self) -> list[str]:
        lines = [
            "Every answer as it stands in the plan; Enter goes to its question.",
            "Those called interface are about your terminal and no part of the plan.",
            "",
        ]
        for field in self._fields:
            lines += [field.key, f"    {field.help}"]
        return lines

    def resume(self) -> None:
        self.query_one(ChoiceList).rows(self._rows())

    def facts_arrived(self) -> None:
        self.resume()

    def page(self, direction: int) -> None:
        """The cursor, as the list is all there is."""
        found = self.query_one(ChoiceList)
        if direction > 0:
            found.action_page_down()  # type: ignore[no-untyped-call]
        else:
            found.action_page_up()  # type: ignore[no-untyped-call]

    def accept(self) -> None:
        from certtui.tui.screens.question import Question

        at = self.query_one(ChoiceList).highlighted
        if at is None:
            return
        field = self._fields[at]
        if field in talk.pages(self.interview.values()) and self._given is None:
            self.wizard.go(self.wizard.ask(field))
        else:
            self.wizard.go(self.wizard.detour(Question(field, detour=True)))

    def _rows(self) -> list[Row]:
        values = self.interview.values()
        wanted = (*FIELDS, *preferences.FIELDS) if self._given is None else self._given
        self._fields = [field for field in wanted if field.applies(values)]
        return [Row(field.key, talk.shown(field, values[field.key])) for field in self._fields]
