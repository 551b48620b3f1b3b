"""Files written by root, safely: paths are walked directory by directory, never through a link.

A path is refused before anything is written if a parent is a symbolic link, belongs to somebody
else or may be written by others, or if the file itself is a link, a FIFO, a device or has a second
name. Content and mode reach the disk before the name does: write, fsync, rename, fsync directory.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from certtui.change.model import Snapshot
from certtui.errors import Refused

_OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Tree:
    """The files below ``root``, owned by ``uid``:``gid`` (0:0 but for a throw-away root)."""

    def __init__(self, root: str = "/") -> None:
        self.root = os.path.abspath(root)
        self.uid = 0 if self.root == "/" else os.geteuid()
        self.gid = 0 if self.root == "/" else os.getegid()

    @contextmanager
    def parent(self, path: str) -> Iterator[tuple[int, str]]:
        """The open parent directory of a path and the last name.

        Raises FileNotFoundError where a parent is missing, :class:`Refused` where one is not safe.
        """
        *folders, name = path.strip("/").split("/")
        at = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            shown = ""
            for folder in folders:
                shown += f"/{folder}"
                at = self._enter(at, folder, shown)
            yield at, name
        finally:
            os.close(at)

    def _enter(self, at: int, folder: str, shown: str) -> int:
        """Opens a directory below another and checks it; closes the upper one if all is well."""
        try:
            below = os.open(folder, _OPEN_DIR, dir_fd=at)
        except NotADirectoryError:
            if stat.S_ISLNK(os.lstat(folder, dir_fd=at).st_mode):
                target = os.readlink(folder, dir_fd=at)
                raise Refused(f"{shown} is a symbolic link (to {target}): not followed") from None
            raise Refused(f"{shown} is not a directory") from None
        found = os.fstat(below)
        problem = ""
        if found.st_uid not in (0, self.uid):
            problem = f"belongs to user {found.st_uid}, not to root: chown root {shown}"
        elif found.st_mode & stat.S_ISVTX and found.st_mode & 0o022:
            # As /tmp, where others may add names: made for all on purpose.
            problem = "is for everybody to write in: choose another folder"
        elif found.st_mode & 0o022:
            mode = stat.S_IMODE(found.st_mode)
            problem = f"may be written by others (mode {mode:04o}): chmod go-w {shown}"
        if problem:
            os.close(below)
            raise Refused(f"{shown} {problem}")
        os.close(at)
        return below

    def missing_folders(self, path: str) -> list[str]:
        """The parents of a path that do not exist yet, outermost first. Raises Refused."""
        folders: list[str] = []
        folder = os.path.dirname(path)
        while folder != "/":
            try:
                with self.parent(folder + "/x"):
                    break
            except FileNotFoundError:
                folders.insert(0, folder)
                folder = os.path.dirname(folder)
        return folders

    def snapshot(self, path: str) -> Snapshot | None:
        """What is at a path; None if nothing is.

        Raises :class:`Refused` for anything but a plain file with one name, PermissionError.
        """
        try:
            with self.parent(path) as (at, name):
                try:
                    fd = os.open(name, _OPEN_FILE, dir_fd=at)
                except OSError as error:
                    if error.errno in (errno.ELOOP, errno.ENXIO):
                        raise Refused(_not_plain(path, os.lstat(name, dir_fd=at))) from None
                    raise
                found = os.fstat(fd)
                if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                    os.close(fd)
                    raise Refused(_not_plain(path, found))
                with os.fdopen(fd, "rb") as file:
                    mode = stat.S_IMODE(found.st_mode)
                    return Snapshot(file.read(), mode, found.st_uid, found.st_gid)
        except FileNotFoundError:
            return None

    def write(self, path: str, new: Snapshot) -> None:
        """Puts a file in place at once and for good: old or new, never between."""
        with self.parent(path) as (at, name):
            temporary = temporary_name(name)
            fd = os.open(temporary, _CREATE, new.mode, dir_fd=at)
            try:
                with os.fdopen(fd, "wb") as file:
                    # Owner first: chown clears set-id bits, and umask may have taken mode bits.
                    os.fchown(fd, new.uid, new.gid)
                    os.fchmod(fd, new.mode)
                    file.write(new.content)
                    file.flush()
                    _move_on(fd, name, at)
                    os.fsync(fd)
                os.rename(temporary, name, src_dir_fd=at, dst_dir_fd=at)
            except BaseException:
                os.unlink(temporary, dir_fd=at)
                raise
            os.fsync(at)

    def delete(self, path: str) -> None:
        """Takes a file away; it is no error if it is gone."""
        self._unlink(path, "")

    def clean(self, path: str) -> None:
        """Takes away what a killed :meth:`write` may have left beside a path."""
        self._unlink(path, "temporary")

    def _unlink(self, path: str, which: str) -> None:
        try:
            with self.parent(path) as (at, name):
                os.unlink(temporary_name(name) if which else name, dir_fd=at)
                os.fsync(at)
        except FileNotFoundError:
            return

    def mkdir(self, path: str, mode: int) -> None:
        """Makes one directory with its mode; it is no error if it is there."""
        with self.parent(path) as (at, name):
            try:
                os.mkdir(name, mode, dir_fd=at)
            except FileExistsError:
                return
            made = os.open(name, _OPEN_DIR, dir_fd=at)
            try:
                os.fchmod(made, mode)  # the umask may have taken bits
                os.fsync(made)
            finally:
                os.close(made)
            os.fsync(at)

    def rmdir(self, path: str) -> None:
        """Takes an empty directory away; one that is gone or in use stays as it is."""
        try:
            with self.parent(path) as (at, name):
                os.rmdir(name, dir_fd=at)
                os.fsync(at)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                raise

    def leftover(self, path: str) -> bool:
        """Whether the temporary name of a path is taken, by us or by somebody else."""
        try:
            with self.parent(path) as (at, name):
                os.lstat(temporary_name(name), dir_fd=at)
        except FileNotFoundError:
            return False
        return True


def temporary_name(name: str) -> str:
    """Ignored by all who read these folders: cron (dot), certbot (ends ~), systemd (suffix)."""
    return f".{name}.certtui-new~"


def _move_on(fd: int, name: str, at: int) -> None:
    """cron rereads a file only if its mtime changed in whole seconds (cron(8))."""
    try:
        old = os.lstat(name, dir_fd=at)
    except FileNotFoundError:
        return
    new = os.fstat(fd)
    if int(new.st_mtime) <= int(old.st_mtime):
        later = (int(old.st_mtime) + 1) * 1_000_000_000
        os.utime(fd, ns=(later, later))


def _not_plain(path: str, found: os.stat_result) -> str:
    for test, kind in (
        (stat.S_ISLNK, "a symbolic link"),
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISREG, f"a file with {found.st_nlink} names (hard links)"),
    ):
        if test(found.st_mode):
            return f"{path} is {kind}, not a plain file: move it away first"
    return f"{path} is a device or socket, not a plain file: move it away first"
