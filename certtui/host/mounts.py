"""The options of the file system that a path lies on (proc(5), /proc/self/mounts)."""

from __future__ import annotations

import re

from certtui.host.interface import Host

TABLE = "/proc/self/mounts"


_DETAILS = "/proc/self/mountinfo"

#: A mount option that mends another.
_MENDS = {"rw": "ro", "exec": "noexec"}


def remount(host: Host, where: str, good: str) -> tuple[str, ...]:
    """The command that takes "ro" or "noexec" away from a mount: ``good`` is "rw" or "exec".

    What holds for this mount point alone is changed by a bind remount (mount(8)); some file systems
    refuse any other (overlay: "No changes allowed in reconfigure"). One that is itself read-only
    has to be remounted whole.
    """
    own, whole = _details(host, where)
    alone = _MENDS[good] in own and _MENDS[good] not in whole
    return ("mount", "-o", f"remount,{'bind,' if alone else ''}{good}", where)


def _details(host: Host, where: str) -> tuple[list[str], list[str]]:
    """Options of the mount point and of its file system (proc(5), /proc/PID/mountinfo)."""
    found: tuple[list[str], list[str]] = ([], [])
    for line in (host.read(_DETAILS) or b"").decode("utf-8", "surrogateescape").splitlines():
        words, _, rest = line.partition(" - ")
        fields, ends = words.split(" "), rest.split(" ")
        if len(fields) > 5 and len(ends) > 2 and _plain(fields[4]) == where:
            found = fields[5].split(","), ends[2].split(",")
    return found


def _plain(name: str) -> str:
    """A name of the tables without its escapes."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), name)


def options(host: Host, path: str, table: str = TABLE) -> tuple[str, frozenset[str]] | None:
    """Where the file system of ``path`` is mounted, and its options; None where nobody can tell.

    Of a path that is not there yet, those of the nearest folder that is. ``table`` may be that of
    another process ("/proc/1/mounts"). Raises PermissionError.
    """
    real = _nearest(host, path)
    found: tuple[str, frozenset[str]] | None = None
    for line in (host.read(table) or b"").decode("utf-8", "surrogateescape").splitlines():
        words = line.split(" ")
        if len(words) < 4:
            continue
        where = _plain(words[1])
        inside = real == where or real.startswith(f"{where.rstrip('/')}/")
        # A later mount over the same place hides the earlier one.
        if inside and (found is None or len(where) >= len(found[0])):
            found = where, frozenset(words[3].split(","))
    return found


def read_only(host: Host, table: str = TABLE) -> frozenset[str]:
    """Where anything is mounted read-only. Raises PermissionError."""
    lines = (host.read(table) or b"").decode("utf-8", "surrogateescape").splitlines()
    rows = [line.split(" ") for line in lines]
    return frozenset(_plain(row[1]) for row in rows if len(row) > 3 and "ro" in row[3].split(","))


def _nearest(host: Host, path: str) -> str:
    while path != "/":
        real = host.resolve(path)
        if real:
            return real
        path = path.rpartition("/")[0] or "/"
    return path
