"""Control groups of the test hosts: each host has its own, as it has processes of its own.

nspawn puts a host into the group that it was started in. Two systemd in one group take each other's
services for theirs: a service that one starts while the other ends its own fails (219/CGROUP).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

#: For ``sh -c``: joins the groups, whose number is the first argument, and becomes the rest.
_JOIN = """\
count=$0
while [ "$count" -gt 0 ]; do
    echo $$ >"$1/cgroup.procs" || exit 1
    shift
    count=$((count - 1))
done
exec "$@"
"""


def joining(name: str) -> list[str]:
    """The beginning of an argv that runs in groups of that name, which it makes."""
    groups = [parent / name for parent in _parents()]
    for group in groups:
        group.mkdir(exist_ok=True)
    return ["sh", "-c", _JOIN, str(len(groups)), *map(str, groups)]


def remove(name: str) -> None:
    """Removes the groups of that name; their processes have ended."""
    for parent in _parents():
        for folder, _, _ in os.walk(parent / name, topdown=False):
            # The files in it are the kernel's and go with it (cgroups(7)).
            os.rmdir(folder)


def _parents() -> Iterator[Path]:
    """Our own groups in the hierarchies that systemd keeps: its own, and that of version 2."""
    groups = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        groups[controllers] = path
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        # proc(5): ID, parent, device, root, mount point, ... - type, source, options
        left, _, right = line.partition(" - ")
        _, _, _, root, mounted, *_ = left.split()
        kind, _, options = right.split()
        if kind == "cgroup2":
            wanted = ""
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            wanted = "name=systemd"
        else:
            continue
        if wanted in groups:
            yield Path(mounted, os.path.relpath(groups[wanted], root))
