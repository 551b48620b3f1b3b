"""The line that an answer is typed into."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input

from certtui.plan.fields import Field, Kind


class Answer(Input):
    """A line to type in; Up and Down count a number."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "count(1)", show=False),
        Binding("down", "count(-1)", show=False),
    ]

    def __init__(self, value: str, field: Field) -> None:
        # A number is typed anew; a text is mended.
        super().__init__(value, select_on_focus=field.kind is Kind.INTEGER, compact=True)
        self._field = field
        self.cursor_blink = False

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Letters are no part of a number: they stay keys of the page."""
        if self._field.kind is Kind.INTEGER:
            return character is not None and character.isdecimal()
        return super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        """As above, for what would be typed.

        Keys of the line act at once: as bindings they would wait until letters behind them, which
        a slow link delivers together, were typed into the line.
        """
        for binding in self._bindings.key_to_bindings.get(event.key, ())[:1]:
            event.stop()
            event.prevent_default()
            await self.run_action(binding.action)
            return
        number = self._field.kind is Kind.INTEGER
        if number and event.is_printable and not (event.character or "").isdecimal():
            event.prevent_default()

    def action_count(self, by: int) -> None:
        """One more or one fewer, within what is allowed."""
        if self._field.kind is not Kind.INTEGER:
            return
        number = int(self.value) if self.value.isdecimal() else self._field.default
        self.value = str(min(self._field.maximum, max(self._field.minimum, number + by)))
