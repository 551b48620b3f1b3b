"""The one way certtui looks at a host: read, list, find and run.

Facts are gathered through this interface only, so that a test can hand in a host made of
dictionaries. Writing is not here: only ``certtui.change`` writes, through ``change.files``, which
walks directory by directory and never follows a symbolic link.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

#: What certtui and everything it generates search: cron and at leave out the sbin folders.
SAFE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"

#: Errors of lstat(2) for a path that leads nowhere: also a loop of links, and an endless name.
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)

_APART: ContextVar[bool] = ContextVar("apart", default=False)


@contextmanager
def apart() -> Iterator[None]:
    """Within, what a host runs is in a session of its own.

    A terminal sends Ctrl+C to its whole foreground group; what cleans up must not be cut by it.
    """
    token = _APART.set(True)
    try:
        yield
    finally:
        _APART.reset(token)


#: Seconds a command that only asks something may take.
QUERY_TIMEOUT = 20.0


@dataclass(frozen=True)
class Completed:
    """A command that has ended; ``code`` is 127 where there is no such program, 124 on time-out."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def text(self) -> str:
        """Both streams, trimmed: what a person would have seen."""
        return (self.out + self.err).strip()


@dataclass(frozen=True)
class FileInfo:
    """What ``lstat`` says. ``mode`` holds the permission bits only, ``mtime`` is seconds UTC."""

    kind: str  # file | directory | symlink | fifo | other
    mode: int
    uid: int
    gid: int
    links: int
    size: int
    mtime: float


@dataclass(frozen=True)
class Space:
    """What is left on a file system, by ``statvfs``: bytes, and inodes (all 0 where it has none).

    ``free`` and ``free_inodes`` are what root may use; ``device`` tells file systems apart.
    """

    device: int
    total: int
    free: int
    inodes: int
    free_inodes: int


class Host(Protocol):
    """A machine as the facts and checks see it. Paths are absolute, as on that machine."""

    root: str

    def read(self, path: str, most: int = -1) -> bytes | None:
        """The bytes of a regular file, or None where there is none. Raises PermissionError.

        ``most`` is how many of them are read at most, from the beginning; -1 for all.
        """

    def tail(self, path: str, most: int) -> bytes | None:
        """The last bytes of a regular file, as :meth:`read` else; a log may be of any size."""

    def info(self, path: str) -> FileInfo | None:
        """``lstat`` of a path, or None where nothing is there."""

    def space(self, path: str) -> Space | None:
        """What is left where a path lies, or would; None where nobody can tell."""

    def names(self, path: str) -> list[str]:
        """The sorted names in a directory; empty where there is none. Raises PermissionError."""

    def link(self, path: str) -> str | None:
        """What a symbolic link says, or None where there is no link. Raises PermissionError."""

    def resolve(self, path: str) -> str | None:
        """Where a path ends after every symbolic link, or None where it leads nowhere."""

    def which(self, program: str) -> str | None:
        """The absolute path of a program on :data:`SAFE_PATH`, or None."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = QUERY_TIMEOUT,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        """Runs a command to its end with ``C.UTF-8`` messages. Never raises for what it answers."""

    def is_root(self) -> bool:
        """Whether the caller may change the system."""


class RealHost:
    """This machine; with ``root`` other than ``/`` its files are looked for below that folder."""

    def __init__(self, root: str = "/") -> None:
        self.root = os.path.abspath(root)

    def _real(self, path: str) -> str:
        return path if self.root == "/" else self.root + path

    def read(self, path: str, most: int = -1) -> bytes | None:
        return self._read(path, most)

    def tail(self, path: str, most: int) -> bytes | None:
        return self._read(path, most, from_end=True)

    def _read(self, path: str, most: int, *, from_end: bool = False) -> bytes | None:
        try:
            # O_NONBLOCK: a FIFO in a managed place must be reported, not waited for.
            fd = os.open(self._real(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError:
            raise
        except OSError:
            return None
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(fd)
            return None
        with os.fdopen(fd, "rb") as file:
            try:
                if from_end:
                    file.seek(max(0, found.st_size - most))
                # As much as is asked for is set aside; a file of /proc has no size.
                return file.read(min(most, found.st_size or most))
            except ProcessLookupError:
                return None  # a file of /proc whose process ended after it was opened

    def info(self, path: str) -> FileInfo | None:
        try:
            found = os.lstat(self._real(path))
        except OSError as error:
            if error.errno not in _NOTHING_THERE:
                raise
            return None
        return FileInfo(
            kind=_kind(found.st_mode),
            mode=stat.S_IMODE(found.st_mode),
            uid=found.st_uid,
            gid=found.st_gid,
            links=found.st_nlink,
            size=found.st_size,
            mtime=found.st_mtime,
        )

    def space(self, path: str) -> Space | None:
        real = self._real(path)
        while not os.path.exists(real) and real != "/":
            real = os.path.dirname(real)
        try:
            found, device = os.statvfs(real), os.stat(real).st_dev
        except OSError:
            return None
        unit = found.f_frsize
        return Space(
            device, found.f_blocks * unit, found.f_bfree * unit, found.f_files, found.f_ffree
        )

    def names(self, path: str) -> list[str]:
        try:
            return sorted(os.listdir(self._real(path)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def link(self, path: str) -> str | None:
        try:
            return os.readlink(self._real(path))
        except PermissionError:
            raise
        except OSError:
            return None

    def resolve(self, path: str) -> str | None:
        real = os.path.realpath(self._real(path))
        if not os.path.exists(real):
            return None
        return real if self.root == "/" else real.removeprefix(self.root) or "/"

    def which(self, program: str) -> str | None:
        return shutil.which(program, path=SAFE_PATH)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = QUERY_TIMEOUT,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        try:
            done = subprocess.run(
                list(argv),
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=timeout,
                env={"PATH": SAFE_PATH, "LC_ALL": "C.UTF-8", "HOME": _home(), **(env or {})},
                cwd="/",
                check=False,
                start_new_session=_APART.get(),
            )
        except FileNotFoundError:
            return Completed(tuple(argv), 127, "", f"{argv[0]}: not found")
        except PermissionError:
            return Completed(tuple(argv), 126, "", f"{argv[0]}: permission denied")
        except subprocess.TimeoutExpired:
            return Completed(tuple(argv), 124, "", f"{argv[0]}: no answer in {timeout:g} s")
        except OSError as error:  # a script without its #! line, for one
            return Completed(tuple(argv), 126, "", f"{argv[0]}: {error.strerror}")
        return Completed(tuple(argv), done.returncode, done.stdout, done.stderr)

    def is_root(self) -> bool:
        return os.geteuid() == 0


def _home() -> str:
    """The home folder that programs are given: snap refuses to run with another user's."""
    return "/root" if os.geteuid() == 0 else os.environ.get("HOME", "/")


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISREG, "file"),
        (stat.S_ISDIR, "directory"),
        (stat.S_ISLNK, "symlink"),
        (stat.S_ISFIFO, "fifo"),
    ):
        if test(mode):
            return name
    return "other"
