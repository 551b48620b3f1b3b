"""A person at a terminal: a program in a pseudo-terminal, its screen read by an emulator."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pexpect
import pyte

from tests.host.folders import HostError


class Terminal:
    """80 columns by 24 rows unless told otherwise."""

    def __init__(self, argv: Sequence[str], *, columns: int = 80, rows: int = 24) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.sent = b""
        self._child: Any = pexpect.spawn(
            argv[0],
            list(argv[1:]),
            dimensions=(rows, columns),
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "xterm-256color"},
        )

    @property
    def text(self) -> str:
        """The screen as it stands, without trailing blanks."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def read(self, seconds: float = 0.2) -> bool:
        """Feeds the emulator with what comes; False once the program has ended."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                data = self._child.read_nonblocking(65536, timeout=left)
            except pexpect.TIMEOUT:
                break
            except pexpect.EOF:
                return False
            self.sent += data
            self._stream.feed(data)
        return True

    def until(self, words: str, timeout: float = 30) -> str:
        """The screen once the words stand on it. Raises HostError with the screen otherwise."""
        end = time.monotonic() + timeout
        alive = True
        while words not in self.text:
            if not alive or time.monotonic() > end:
                raise HostError(f"{words!r} did not come; the screen:\n{self.text}")
            alive = self.read()
        return self.text

    def send(self, keys: str) -> None:
        """Keys as the terminal sends them."""
        self._child.send(keys)

    def end(self, timeout: float = 20) -> int:
        """The exit code of the program. Raises HostError if it does not end."""
        deadline = time.monotonic() + timeout
        while self.read():
            if time.monotonic() > deadline:
                self.close()
                raise HostError(f"it did not end; the screen:\n{self.text}")
        self._child.wait()
        if self._child.exitstatus is None:
            raise HostError(f"ended by signal {self._child.signalstatus}")
        return int(self._child.exitstatus)

    def close(self) -> None:
        """Ends the program if it still runs."""
        self._child.close(force=True)
