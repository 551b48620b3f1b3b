"""Textual's driver, kept to what the terminal in hand understands and to the terminal itself."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver

from certtui.tui.frames import Frames

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from certtui.tui.looks import Dressed

#: Questions to newer terminals and the keyboard mode of some: older ones, such as
#: an old Linux console, print part of them.
_NEWER = ("\x1b[?2026$p", "\x1b[?2048$p", "\x1b[>", "\x1b[<")

#: Tells of the window's focus, on which Textual would take the cursor off the page and draw anew.
_FOCUS_REPORTS = "\x1b[?1004h"


class TerminalDriver(LinuxDriver):
    """Writes to the terminal, not to standard error, which may be a file (``certtui 2>log``)."""

    def __init__(self, app: Dressed, **options: Any) -> None:
        super().__init__(app, **options)
        self._dressed = app
        self._terminal = app.terminal
        self.frames = Frames()
        self._output = _open(app.terminal.utf8)
        self._file = self._output

    def write(self, data: str) -> None:
        """Sends to the terminal."""
        unwanted = data == _FOCUS_REPORTS or (self._terminal.basic and data.startswith(_NEWER))
        if not unwanted:
            super().write(self.frames.news(data))

    def stop_application_mode(self) -> None:
        """Leaves the terminal as it was; where it has one screen only, empty."""
        super().stop_application_mode()
        if not self._terminal.alternate:
            self.write("\x1b[0m\x1b[H\x1b[2J")

    def suspend_application_mode(self) -> None:
        """Leaves the terminal to the shell for a while (SIGTSTP); it is not closed."""
        self.stop_application_mode()
        super().close()

    def resume_application_mode(self) -> None:
        """Takes the terminal again, which may show anything by now, and draws everything.

        SIGCONT comes after SIGSTOP, too, where nothing was left: then there is nothing to start.
        """
        self.frames.forget()
        if self._must_signal_resume:
            super().resume_application_mode()
        self._app.call_later(self._app.refresh)

    def close(self) -> None:
        """Says what is waited for, ends the writing, and gives back what it was done with."""
        if self._dressed.parting:
            self.write(f"{self._dressed.parting}\r\n")
        super().close()
        self._output.close()


class _Output(io.FileIO):
    """A terminal that may be gone: then nobody reads, and nothing is wrong with the program."""

    def write(self, data: Buffer, /) -> int:
        """Writes some of it; gives how much."""
        try:
            written: int | None = super().write(data)
        except OSError:
            return memoryview(data).nbytes
        if written is None:
            # Another program has made the terminal non-blocking, and it is full.
            select.select([], [self], [])
        return written or 0


def _open(utf8: bool) -> io.TextIOWrapper:
    """The terminal as a file of its own: what is printed meanwhile goes elsewhere.

    Its encoding is the last wall against what the terminal cannot show: that is fit before.
    """
    stream = next((s for s in (sys.__stdout__, sys.__stderr__) if s and s.isatty()), sys.__stdout__)
    assert stream is not None, "the wizard has made sure of a terminal"
    raw = _Output(os.dup(stream.fileno()), "w")
    encoding = "utf-8" if utf8 else "ascii"
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors="replace", newline="")
