"""One certtui at a time: ``flock`` on a file never deleted (a deleted one locks nothing)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from certtui.change import store
from certtui.change.files import Tree
from certtui.errors import Locked


def holder(tree: Tree) -> int:
    """The process that took the lock last, if it is alive and not our own; else 0."""
    try:
        snapshot = tree.snapshot(store.LOCK)
    except PermissionError:
        return 0
    text = (snapshot.content if snapshot else b"").decode("ascii", "replace").strip()
    alive = text.isdecimal() and int(text) != os.getpid() and _runs(text)
    return int(text) if alive else 0


def _runs(pid: str) -> bool:
    """Whether a process is more than a zombie that nobody waited for (proc_pid_stat(5))."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] not in (b"Z", b"X", b"")
    except OSError:
        return False


@contextmanager
def locked(tree: Tree) -> Iterator[None]:
    """Holds the lock, which the kernel drops however the holder ends.

    Raises :class:`Locked`, naming the holder's process id, without waiting.
    """
    for folder in [*tree.missing_folders(store.HOME), store.HOME]:
        tree.mkdir(folder, 0o700 if folder in store.PRIVATE else 0o755)
    with tree.parent(store.LOCK) as (at, name):
        fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=at)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise Locked(
                f"another certtui is at work (process {holder}): wait for it, then try again"
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(fd)
