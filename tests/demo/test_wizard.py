"""``certtui demo`` at a terminal: the wizard from Welcome to Done, and every way to leave it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest

from .support import CHECKOUT, gone, need
from .test_run import CODES

COLUMNS, ROWS = 80, 24


class Terminal:
    """The demo in a terminal of its own, seen as a person sees it."""

    def __init__(self, scratch: Path, term: str = "xterm-256color") -> None:
        need("acme2certifier")
        surroundings = {"PYTHONPATH": str(CHECKOUT), "TMPDIR": str(scratch), "TERM": term}
        self.process = pexpect.spawn(
            sys.executable,
            ["-m", "certtui", "demo"],
            env={**os.environ, **surroundings},
            dimensions=(ROWS, COLUMNS),
            timeout=15,
            encoding="utf-8",
        )
        self._screen = pyte.HistoryScreen(COLUMNS, ROWS, history=1000)
        self._stream = pyte.Stream(self._screen)

    def wait(self, words: str) -> None:
        """Reads until the words stand on the screen."""
        while words not in "\n".join(self._screen.display):
            self._read(words)

    def _read(self, words: str) -> None:
        try:
            self._stream.feed(self.process.read_nonblocking(65536, 15))
        except (pexpect.EOF, pexpect.TIMEOUT):
            shown = "\n".join(line for line in self._screen.display if line.strip())
            pytest.fail(f"{words!r} never came:\n{shown}")

    def press(self, keys: str) -> None:
        self.process.send(keys)

    def end(self) -> int:
        """Waits for the end; the exit code, or minus the signal."""
        while True:
            try:
                self._stream.feed(self.process.read_nonblocking(65536, 15))
            except pexpect.EOF:
                break
        self.process.close()
        status = self.process.exitstatus
        return status if status is not None else -int(self.process.signalstatus or 0)

    @property
    def text(self) -> str:
        """What is left on the screen."""
        return "\n".join(self._screen.display)

    def to_welcome(self) -> None:
        self.wait("Welcome")
        self.wait("days left")

    def to_dry_run(self) -> None:
        self.to_welcome()
        for title in ("Web server", "Scheduler", "Runs a day", "Mail", "Review"):
            self.press("\r")
            self.wait(f"{title}  ")
        self.wait("a apply")
        time.sleep(0.3)  # a that comes with other keys is taken for pasted text
        self.press("a")
        self.wait("Simulating renewal")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.process.close(force=True)


def test_from_welcome_to_done(terminal: Terminal, tmp_path: Path) -> None:
    terminal.to_dry_run()
    terminal.wait("PROVED   2 of 2")
    terminal.press("\r")
    terminal.wait("SET UP AND PROVED")
    terminal.press("\r")
    assert terminal.end() == 0
    assert "Done: everything is written, every renewal is proved." in terminal.text
    assert "which is gone" in terminal.text
    assert gone(tmp_path, seconds=0)


def test_left_at_once(terminal: Terminal, tmp_path: Path) -> None:
    terminal.to_welcome()
    terminal.press("q")
    assert terminal.end() == 1
    assert "NOT PROVED: the wizard was left before anything was applied" in terminal.text
    assert gone(tmp_path, seconds=0)


@pytest.mark.parametrize("moment", ["to_welcome", "to_dry_run"])
@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_ended(terminal: Terminal, tmp_path: Path, number: signal.Signals, moment: str) -> None:
    getattr(terminal, moment)()
    terminal.process.kill(number)
    assert terminal.end() == CODES[number]
    assert gone(tmp_path)


@pytest.mark.parametrize("moment", ["to_welcome", "to_dry_run"])
def test_the_window_is_closed(terminal: Terminal, tmp_path: Path, moment: str) -> None:
    getattr(terminal, moment)()
    process: Any = terminal.process
    process.ptyproc.fileobj.close()  # the kernel sends SIGHUP, and every write fails
    assert gone(tmp_path, seconds=15)
