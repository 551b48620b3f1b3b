"""Ctrl+C and its like while certbot runs: the first cancels, the second ends at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from certtui.errors import Ended, ExitCode

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Noted:
    """Which signal came; 0 while none did."""

    def __init__(self) -> None:
        self.signum = 0

    @property
    def exit_code(self) -> ExitCode:
        """128 + its number; 0 while none came."""
        return ExitCode(128 + self.signum) if self.signum else ExitCode.OK


@contextlib.contextmanager
def signals_cancel(cancel: threading.Event) -> Iterator[Noted]:
    """Within, INT, TERM or HUP sets ``cancel``, so that certbot can end and its end be shown.

    One more raises KeyboardInterrupt or Ended. Ignored signals stay ignored (nohup(1)). Only the
    main thread may set handlers; in another nothing changes.
    """
    noted = Noted()

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        if noted.signum:
            raise KeyboardInterrupt if number == signal.SIGINT else Ended(number)
        noted.signum = int(number)
        cancel.set()

    before: dict[signal.Signals, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, note)
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
