"""Signals that wait until a step that must not be cut in two is done."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

_WAITING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class HeldSignals:
    """From :meth:`begin` to :meth:`end` INT, TERM and HUP are noted; the first is raised then.

    Only the main thread may set handlers (signal(7) of Python's documentation); another thread is
    never interrupted by one, so there is nothing to hold.
    """

    def __init__(self) -> None:
        self._noted: list[int] = []
        self._before: dict[int, Any] = {}

    def begin(self) -> None:
        """Starts to hold; may be called again."""
        if threading.current_thread() is not threading.main_thread() or self._before:
            return
        for number in _WAITING:
            before = signal.signal(number, self._note)
            self._before[number] = signal.SIG_DFL if before is None else before

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._noted.append(number)

    def end(self) -> None:
        """Puts the handlers back and lets the first noted signal act, as if it came now."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
        if self._noted:
            signal.raise_signal(self._noted.pop(0))
