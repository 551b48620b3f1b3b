"""The full output of a dry run on disk: private, never through a link, never without end."""

from __future__ import annotations

import os
import stat

#: Bytes after which the rest is left out: certbot that floods must not fill the disk.
LIMIT = 64 * 1024 * 1024


class Log:
    """Written line by line. A log that cannot be written is no reason to stop the dry run.

    ``again`` keeps what an earlier run of the same person has left there.
    """

    def __init__(self, path: str, *, again: bool = False) -> None:
        self.path = path
        self.problem = ""  # a sentence, once there is one
        self._fd = -1
        self._waiting = bytearray()
        self._room = LIMIT
        if path:
            try:
                self._fd = _create(path, again)
            except OSError as error:
                self._fail(error)

    def write(self, line: str) -> None:
        """One line; it is in the file after the next :meth:`flush`."""
        if self._fd < 0 or self._room <= 0:
            return
        data = line.encode("utf-8", "replace") + b"\n"
        self._room -= len(data)
        if self._room <= 0:
            data = b"[certtui: the rest is left out, the output is too long]\n"
        self._waiting += data

    def flush(self) -> None:
        """What was written is in the file now."""
        try:
            while self._waiting:
                del self._waiting[: os.write(self._fd, self._waiting)]
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        """Nothing more is written; may be called again."""
        self.flush()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def kept(self) -> str:
        """The path, or "" where the output was not kept there."""
        return "" if self.problem else self.path

    def _fail(self, error: OSError) -> None:
        self.problem = f"the full output is not kept in {self.path}: {error.strerror}"
        self._waiting.clear()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _create(path: str, again: bool) -> int:
    """A descriptor of the file, 0600 and empty, or at its end if ``again``. Raises OSError."""
    # O_NONBLOCK: a FIFO that was put there must not be waited for.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(path, flags, 0o600)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise OSError(0, "something that is not a file of its own is there")
        os.fchmod(fd, 0o600)
        if not again:
            os.ftruncate(fd, 0)
    except BaseException:
        os.close(fd)
        raise
    return fd
