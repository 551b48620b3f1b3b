"""A program in a pseudo-terminal, and when it sent what."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pexpect
import psutil
import pyte

#: 80 x 24 with 256 colours: what the limits are about.
COLUMNS, ROWS = 80, 24

_HOUSE = Path(__file__).resolve().parent.parent

#: Whether the terminal draws a frame at once is asked at the start; a present one says it can.
_ASKED, _ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"

Wanted = str | Callable[[str], bool]


class Program:
    """A child whose output an emulated terminal reads; ``start`` is when it was started."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = COLUMNS,
        rows: int = ROWS,
        home: Path | None = None,
    ) -> None:
        kept = {k: v for k, v in os.environ.items() if k not in _LEFT_OUT}
        if home is not None:
            kept |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.sent = 0
        self.start = time.monotonic()
        self._child: Any = pexpect.spawn(
            sys.executable,
            list(argv),
            dimensions=(rows, columns),
            env={**kept, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
            cwd=str(_HOUSE),
        )
        self.process = psutil.Process(self._child.pid)

    def read(self, seconds: float) -> bytes:
        """What comes first within a time; empty where nothing does."""
        fd = self._child.child_fd
        if not select.select([fd], [], [], max(0.0, seconds))[0]:
            return b""
        try:
            data = os.read(fd, 1 << 16)
        except OSError:  # a pseudo-terminal that nobody holds any more
            return b""
        if _ASKED in data:
            os.write(fd, _ANSWER)
        self.sent += len(data)
        self._stream.feed(data)
        return data

    @property
    def text(self) -> str:
        """What a person sees, a line a row."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def until(self, wanted: Wanted, seconds: float = 30) -> float:
        """Reads until the screen shows that; gives the moment its last byte came."""
        now = time.monotonic()
        end = now + seconds
        while not (wanted in self.text if isinstance(wanted, str) else wanted(self.text)):
            if time.monotonic() >= end:
                raise TimeoutError(f"{wanted!r} did not come; the screen:\n{self.text}")
            if self.read(end - time.monotonic()):
                now = time.monotonic()
        return now

    def settle(self, quiet: float = 0.4, most: float = 20) -> int:
        """Reads until nothing came for a while; gives the number of bytes."""
        before, end = self.sent, time.monotonic() + most
        while time.monotonic() < end and self.read(quiet):
            pass
        return self.sent - before

    def key(self, key: str, wanted: Wanted = "") -> int:
        """Presses a key, waits for the screen to show that, and gives the bytes it took."""
        before = self.sent
        self.press(key)
        if wanted:
            self.until(wanted)
        self.settle()
        return self.sent - before

    def press(self, key: str) -> None:
        """Presses a key."""
        os.write(self._child.child_fd, key.encode())

    def answer(self, key: str, wanted: Wanted) -> float:
        """Presses a key; seconds until the screen shows that."""
        pressed = time.monotonic()
        self.press(key)
        return max(0.0, self.until(wanted) - pressed)

    def resize(self, columns: int, rows: int) -> None:
        """The window changes its size."""
        self._screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    def memory(self) -> int:
        """Bytes that are its own alone, without its children's (USS)."""
        return int(self.process.memory_full_info().uss)

    def cpu(self) -> float:
        """Seconds of processor time of it alone, user and system."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def worked(self) -> float:
        """The same to the nanosecond, of the threads that live (proc(5), schedstat)."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text("ascii").split()[0]) for task in tasks) / 1e9

    def close(self) -> None:
        """Ends it and waits."""
        self.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 5
        while self._child.isalive() and time.monotonic() < end:
            self.read(0.05)
        self._child.close(force=True)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


_LEFT_OUT = ("NO_COLOR", "COLORFGBG", "COLUMNS", "LINES", "SSH_CONNECTION", "TMUX")
