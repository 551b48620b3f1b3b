"""One certbot in a pseudo-terminal: read while it runs, stopped politely, never left behind.

pexpect reads and waits; the program itself is started by subprocess, because pexpect's own start
forks, which may deadlock in the wizard's threads (Python 3.12 warns of it, os.forkpty).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from typing import cast

#: Seconds certbot has to end after SIGINT (it takes back its challenges), then after SIGTERM. Then
#: it is killed: somebody waits at a terminal.
PATIENCE = (5.0, 5.0)

#: Seconds to listen for more after certbot ended while its children still write.
LINGER = 1.0

_PAUSE = 0.05  # seconds between two looks at the clock and the cancel switch
_CHUNK = 65_536  # bytes
_COLUMNS = 4096  # a hook that asks for the width must not fold its lines

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


class Process:
    """A program in a session, and so a process group, of its own: no Ctrl+C reaches it but ours.

    Raises OSError where it cannot be started.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        from pexpect import fdpexpect  # type: ignore[attr-defined, unused-ignore]

        self._master, slave = os.openpty()
        try:
            _prepare(slave)
            self._process = subprocess.Popen(
                list(argv),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=dict(env),
                cwd="/",
                start_new_session=True,
                umask=0o022,  # as under cron and systemd, whatever the caller's
            )
        except BaseException:
            os.close(self._master)
            raise
        finally:
            os.close(slave)
        self._terminal = fdpexpect.fdspawn(self._master, timeout=None, use_poll=True)
        self._silent = False  # nobody holds the terminal any more
        self._sent = 0  # how many of _SIGNALS
        self._next = 0.0  # when the next one is due
        self._ended = 0.0  # when certbot was seen to have ended

    def read(self) -> bytes:
        """What was written since, or nothing after a short while; also sends signals when due."""
        import pexpect

        if self._sent and self._sent < len(_SIGNALS) and time.monotonic() >= self._next:
            self._signal()
        if self._silent:
            time.sleep(_PAUSE)
            return b""
        try:
            # bytes, whatever its stubs say: no encoding was asked for
            return cast(bytes, self._terminal.read_nonblocking(_CHUNK, _PAUSE))
        except pexpect.TIMEOUT:
            return b""
        except pexpect.EOF:
            self._silent = True
            return b""

    def over(self, data: bytes) -> bool:
        """Whether, after ``data`` was read, nothing more is to be waited for.

        A hook's child may hold the terminal open for ever, so its end is not waited for.
        """
        if not self._ended and self._has_ended():
            self._ended = time.monotonic()
            return self._silent  # what it wrote last may still be there to read
        if not self._ended:
            return False
        return not data or time.monotonic() > self._ended + LINGER

    def stop(self) -> None:
        """Asks certbot and its hooks to end as Ctrl+C would; stronger signals follow in time."""
        if not self._sent:
            self._signal()

    @property
    def stopping(self) -> bool:
        return self._sent > 0

    def close(self) -> int:
        """Ends it if it still runs, waits, and gives its exit status (negative: a signal's).

        A second interruption while it waits ends certbot at once.
        """
        try:
            while not self._has_ended():
                self.stop()
                self.read()
        finally:
            if self._sent or not self._has_ended():
                # Not reaped yet, so the group's number cannot have become somebody else's. What
                # hooks of a run that ended by itself left running, such as a server, stays.
                self._kill(signal.SIGKILL)
            code = self._process.wait()
            self._terminal.close()
        return code

    def _has_ended(self) -> bool:
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, how) is not None

    def _signal(self) -> None:
        self._kill(_SIGNALS[self._sent])
        if self._sent < len(PATIENCE):
            self._next = time.monotonic() + PATIENCE[self._sent]
        self._sent += 1

    def _kill(self, signum: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signum)


def _prepare(slave: int) -> None:
    """Wide, and without echo of what nobody types."""
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, _COLUMNS, 0, 0))
    settings = termios.tcgetattr(slave)
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, settings)
