"""What a drill leaves behind while it is under way: the marker for the script, the trace for us.

The trace is written before anything else and taken away after everything else, so that whatever
ends a drill, the next command finds it and knows what to clean. Neither can make anything renew:
the marker is good for one drill and five minutes, and what was started for a drill does nothing
without it (``render/templates/drill.sh``).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

from certtui.change.files import Tree
from certtui.change.model import Snapshot
from certtui.change.store import HOME
from certtui.errors import Refused

#: An id and when it ends, a line each; the script removes it as it begins.
MARKER = f"{HOME}/drill"
TRACE = f"{HOME}/drill-at-work"

#: Seconds a marker is good for; the script takes none that is good for more than 300.
VALID = 280
#: The same where a service takes it that was not told the id: no timer may fire in that time.
VALID_UNASKED = 60


@dataclass(frozen=True)
class Trace:
    """What has to be cleaned. ``how`` is cron.d, crontab, at, unit or deploy.

    For ``unit``: the service, whether it had failed before, when its timer had fired last (as
    systemd tells it), and which start of it is the drill's: the job while it waits, then the
    InvocationID (systemd.exec(5)); "" where that is not known, or not yet. For ``deploy``: the
    lines that waited before, the time of that file (ns), and which certificate each lineage had
    then.
    """

    id: str
    how: str = ""
    unit: str = ""
    failed: bool = False
    fired: str = ""
    pending: tuple[str, ...] = ()
    noted: int = 0
    certificates: tuple[tuple[str, str], ...] = ()
    job: str = ""
    invocation: str = ""

    @property
    def damaged(self) -> bool:
        return not self.id


def write(tree: Tree, trace: Trace) -> None:
    """Raises Refused."""
    put(tree, TRACE, json.dumps(asdict(trace)) + "\n", 0o600)


def read(tree: Tree) -> Trace | None:
    """The trace of a drill that is under way or was killed. Raises PermissionError, Refused."""
    found = tree.snapshot(TRACE)
    if found is None:
        return None
    try:
        data: dict[str, Any] = json.loads(found.content)
        return Trace(
            str(data["id"]),
            str(data["how"]),
            str(data["unit"]),
            bool(data["failed"]),
            str(data["fired"]),
            tuple(str(line) for line in data["pending"]),
            int(data["noted"]),
            tuple((str(name), str(target)) for name, target in data["certificates"]),
            str(data.get("job", "")),
            str(data.get("invocation", "")),
        )
    except (ValueError, KeyError, TypeError):
        return Trace("")  # damaged: then what every drill may leave is looked for


def mark(tree: Tree, left: Trace, now: float) -> None:
    """Writes the marker. Raises Refused."""
    ends = int(now) + (VALID_UNASKED if left.how == "unit" else VALID)
    put(tree, MARKER, f"{left.id}\n{ends}\n", 0o600)


def unmark(tree: Tree) -> None:
    """Takes the marker away, and what a killed write of it has left."""
    tree.delete(MARKER)
    tree.clean(MARKER)


def forget(tree: Tree) -> None:
    """The end of a drill."""
    tree.clean(TRACE)
    tree.delete(TRACE)


def put(tree: Tree, path: str, text: str, mode: int) -> None:
    """Writes a file of a drill's. Raises Refused, also where the disk is full or read-only."""
    try:
        tree.write(path, Snapshot(text.encode("utf-8"), mode, tree.uid, tree.gid))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise Refused(f"{path} cannot be written: {reason}; nothing was tried") from None
