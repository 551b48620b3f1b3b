"""One certtui at a time: ``flock`` on a file never deleted (a deleted one locks nothing)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from certtui.change import store
from certtui.change.files import Tree
from certtui.errors import Locked


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
