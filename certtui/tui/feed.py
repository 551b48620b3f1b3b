"""Events on their way from a worker to the interface, which takes them a few times a second."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

from certtui.renewal.events import Event, Line
from certtui.tui.lines import MOST


class News(NamedTuple):
    """What came since the last time; ``lost`` lines came before these and were not kept."""

    lines: list[str]
    lost: int
    events: list[Event]


class Feed:
    """Between the two threads. A flood of lines takes neither memory nor the interface's time:

    no more of them are kept than the interface can show.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: deque[str] = deque(maxlen=MOST)
        self._said = 0
        self._events: list[Event] = []

    def put(self, event: Event) -> None:
        """In the worker. The rules that certbot draws say nothing; the log on disk has them."""
        with self._lock:
            if not isinstance(event, Line):
                self._events.append(event)
            elif not event.text or event.text.strip(" -"):
                self._lines.append(event.text)
                self._said += 1

    def take(self) -> News:
        """In the interface: everything that came, once."""
        with self._lock:
            lines, events, said = list(self._lines), self._events, self._said
            self._lines.clear()
            self._events, self._said = [], 0
        return News(lines, said - len(lines), events)
