"""Keys act in the order they were typed, one after the other, whatever the link does to them.

A slow link delivers several keys at once, and text pasted into a terminal without bracketed paste
(the Linux console, a remote console) comes as keys. Textual hands each to the widget in focus at
that moment, which may be that of a page that Enter has just left.
"""

from __future__ import annotations

from typing import TypeAlias

from textual import events

from certtui.ask.session import Session
from certtui.tui.way import Way

_Typed: TypeAlias = events.Key | events.Paste

#: Keys that may lead to another page: what is typed behind them waits until they have.
_LEADING = ("enter", "escape")

#: Seconds after which it goes on all the same, if no page is on its way.
_PATIENCE = 1.0

#: Seconds between two keys of a person who has looked at the screen in between; a pasted text and
#: a key held down come faster.
HURRY = 0.15

#: Keys before one that must not be a part of pasted text: they are none either.
_NO_TEXT = ("up", "down", "pageup", "pagedown", "home", "end", "tab", "shift+tab", "k", "r")

#: Most keys that wait.
_MOST = 256


class Keyed(Way):
    """An app whose keys wait for each other. What Ctrl+C asks is answered by the next of them."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._held: list[_Typed] | None = None
        self._turn = 0
        self._last: tuple[str, float] = ("", 0.0)
        #: whether the key in hand came together with others, as no person presses it
        self.hurried = False
        #: whether Ctrl+C was pressed once
        self.asked = False

    async def on_event(self, event: events.Event) -> None:
        """Takes what comes from the terminal; what has come from a widget goes its way."""
        typed = isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded
        if typed and getattr(event, "key", "") != "ctrl+c":
            assert isinstance(event, (events.Key, events.Paste))
            await self._type(event)
        else:
            await super().on_event(event)

    async def _type(self, event: _Typed) -> None:
        if self._held is not None:
            del self._held[_MOST - 1 :]
            self._held.append(event)
            return
        key = event.key if isinstance(event, events.Key) else ""
        before, when = self._last
        self._last = (key, event.time)
        self.hurried = event.time - when < HURRY and before not in _NO_TEXT
        if self.asked:
            # It answers the question, and does nothing else.
            self.asked = False
            self.refresh_frame()
            return
        if key in _LEADING:
            self._held = []
            self._turn += 1
            self._remind(self._turn)
        await super().on_event(event)

    def _remind(self, turn: int) -> None:
        self.set_timer(_PATIENCE, lambda: self._late(turn))

    def _late(self, turn: int) -> None:
        if self._held is None or turn != self._turn:
            return
        self._remind(turn)
        self.go_on()

    def go_on(self) -> None:
        """A key has done what it does, unless a move is on its way."""
        if self._held is not None and not self.moving:
            self.call_later(self._release)

    def settled(self) -> None:
        self.go_on()

    async def _release(self) -> None:
        held, self._held = self._held or [], None
        for event in held:
            await self._type(event)
