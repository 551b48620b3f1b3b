"""A person at a terminal: a program in a pseudo-terminal, its screen read by an emulator."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import pexpect
import pyte

from tests.host.folders import HostError

#: A sequence that sets colours or attributes (ECMA-48, SGR), and its numbers.
_SGR = re.compile(rb"\x1b\[([0-9;:]*)m")


class Terminal:
    """80 columns by 24 rows of an xterm unless told otherwise."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        term: str = "xterm-256color",
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.sent = b""
        self._heard = 0
        self._child: Any = pexpect.spawn(
            argv[0],
            list(argv[1:]),
            dimensions=(rows, columns),
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": term},
        )
        # A key is sent as it is pressed; by default pexpect waits 50 ms before each.
        self._child.delaybeforesend = None

    @property
    def pid(self) -> int:
        """The process in the pseudo-terminal."""
        return int(self._child.pid)

    @property
    def text(self) -> str:
        """The screen as it stands, without trailing blanks."""
        return "\n".join(self.lines).rstrip()

    @property
    def lines(self) -> list[str]:
        """Every row of the screen, without trailing blanks."""
        return [line.rstrip() for line in self.screen.display]

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

    def until(self, *words: str, timeout: float = 30) -> str:
        """The screen once all the words stand on it. Raises HostError with the screen otherwise."""
        end = time.monotonic() + timeout
        alive = True
        while lacking := [word for word in words if word not in self.text]:
            if not alive or time.monotonic() > end:
                raise HostError(f"{lacking} did not come; the screen:\n{self.text}")
            alive = self.read(0.1)
        return self.text

    def asks(self, question: str, prompt: str, timeout: float = 60) -> None:
        """Waits for a question and its prompt in what was sent since the last one.

        Lines that scroll away are heard, too. Raises HostError.
        """
        end = time.monotonic() + timeout
        alive = True
        while not (found := self._question(question, prompt)):
            if not alive or time.monotonic() > end:
                raise HostError(f"{question!r} was not asked; the screen:\n{self.text}")
            alive = self.read(0.1)
        self._heard = found

    def _question(self, question: str, prompt: str) -> int:
        """Where the prompt of a question ends; 0 before it is there."""
        begins = self.sent.find(question.encode(), self._heard)
        ends = self.sent.find(prompt.encode(), begins) if begins >= 0 else -1
        return ends + len(prompt) if ends >= 0 else 0

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

    # -- what was sent ---------------------------------------------------------------------------

    def left_clean(self) -> bool:
        """Alternate screen off, cursor on, no mouse reports: each as the last word about it."""

        def last(on: bytes, off: bytes) -> bool:
            return self.sent.rfind(off) >= self.sent.rfind(on)

        return (
            b"\x1b[?1049h" in self.sent
            and last(b"\x1b[?1049h", b"\x1b[?1049l")
            and last(b"\x1b[?25l", b"\x1b[?25h")
            and all(last(b"\x1b[?%dh" % mode, b"\x1b[?%dl" % mode) for mode in (1000, 1003, 1006))
        )

    def colours(self) -> list[bytes]:
        """Every sequence that was sent to set a colour, the terminal's default ones aside."""
        found = []
        for sequence in _SGR.finditer(self.sent):
            numbers = [int(word) for word in re.split(b"[;:]", sequence[1]) if word]
            if any(30 <= n <= 38 or 40 <= n <= 48 or 90 <= n <= 107 for n in numbers):
                found.append(sequence[0])
        return found
