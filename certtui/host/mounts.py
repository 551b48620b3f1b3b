"""The options of the file system that a path lies on (proc(5), /proc/self/mounts)."""

from __future__ import annotations

import re

from certtui.host.interface import Host

TABLE = "/proc/self/mounts"


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
        where = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), words[1])
        inside = real == where or real.startswith(f"{where.rstrip('/')}/")
        # A later mount over the same place hides the earlier one.
        if inside and (found is None or len(where) >= len(found[0])):
            found = where, frozenset(words[3].split(","))
    return found


def _nearest(host: Host, path: str) -> str:
    while path != "/":
        real = host.resolve(path)
        if real:
            return real
        path = path.rpartition("/")[0] or "/"
    return path
