"""Standard streams as a caller may leave them: closed, full, of a terminal that has gone."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


class Unwritable(OSError):
    """What was printed cannot be written, as to a full disk."""

    def __str__(self) -> str:
        return f"standard output cannot be written: {self.strerror}"


def _watch(stream: object) -> None:
    """Errors of standard output are told from those of any other file."""
    if type(stream) is not io.TextIOWrapper or "write" in vars(stream):
        return

    def told(work: Callable[..., _T]) -> Callable[..., _T]:
        def call(*given: str) -> _T:
            try:
                return work(*given)
            except BrokenPipeError:
                raise
            except OSError as error:
                if hung_up():
                    raise
                raise Unwritable(error.errno, error.strerror) from error

        return call

    for name in ("write", "flush"):
        setattr(stream, name, told(getattr(stream, name)))


def write_nowhere() -> None:
    """Lets all that is still to be written go nowhere, also from the interpreter's exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def finish() -> None:
    """Writes what is still to be written; what cannot be is not tried again at the exit."""
    try:
        sys.stdout.flush()
    except OSError:
        write_nowhere()


def hung_up() -> bool:
    """Whether the terminal we write to is gone: then even no byte can be written (tty_ioctl(4))."""
    try:
        os.write(sys.stdout.fileno(), b"")
    except (OSError, ValueError) as error:
        return getattr(error, "errno", 0) == errno.EIO
    return False


def open_all() -> None:
    """A caller may have closed the streams (``>&-``); Python then has None in their place."""
    if sys.stdout is None or sys.stderr is None:
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the whole run
        sys.stdout = sys.stdout or nowhere
        sys.stderr = sys.stderr or nowhere
    _fit(sys.stdin, "surrogateescape")
    _fit(sys.stdout, "backslashreplace")
    _fit(sys.stderr, "backslashreplace")
    _watch(sys.stdout)


def _fit(stream: object, errors: str) -> None:
    """No character is an error; one that the terminal cannot show is not sent to it.

    What the host holds (names, file contents, what certbot said) is in any language, and the
    locale of whoever looks at it may be C.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return
    encoding = None
    if stream.writable() and stream.isatty():
        from certtui import charset

        encoding = "ascii" if charset.ascii_only() else None
    stream.reconfigure(encoding=encoding, errors=errors)
