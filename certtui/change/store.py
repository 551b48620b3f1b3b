"""certtui's own folder: names, the state of the last apply, and one way to read and write a target.

A *target* is anything apply replaces as a whole: a file, or our block in root's crontab. Both are
read and written as a :class:`Snapshot`, so that journal, conflict rules and undo know one kind.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from certtui.change import crontab
from certtui.change.files import Tree
from certtui.change.model import Snapshot
from certtui.errors import ApplyFailed, Refused

HOME = "/var/lib/certtui"
LOCK = f"{HOME}/lock"
STATE = f"{HOME}/state.json"
JOURNAL = f"{HOME}/journal"
RUNS_LOG = f"{HOME}/runs.log"

SCHEMA_VERSION = 1

#: Directories that are not for everybody's eyes; every other one is made 0755.
PRIVATE = (HOME, JOURNAL)


@dataclass(frozen=True)
class Print:
    """What identifies a snapshot: its SHA-256 in hex, permission bits and numeric owner."""

    sha256: str
    mode: int
    uid: int
    gid: int

    def to_json(self) -> dict[str, Any]:
        return {"sha256": self.sha256, "mode": f"{self.mode:04o}", "uid": self.uid, "gid": self.gid}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Print:
        return cls(data["sha256"], int(data["mode"], 8), data["uid"], data["gid"])


def fingerprint(snapshot: Snapshot | None) -> Print | None:
    """The print of a snapshot, None for absence."""
    if snapshot is None:
        return None
    digest = hashlib.sha256(snapshot.content).hexdigest()
    return Print(digest, snapshot.mode, snapshot.uid, snapshot.gid)


def read_target(tree: Tree, kind: str, path: str) -> Snapshot | None:
    """What is there now. Raises Refused, PermissionError."""
    if kind == "crontab":
        _only_on_this_machine(tree)
        if not crontab.is_installed():
            return None
        _, block, _ = crontab.split(crontab.read())
        return None if block is None else Snapshot(block, 0o600, 0, 0)
    return tree.snapshot(path)


def write_target(tree: Tree, kind: str, path: str, new: Snapshot | None) -> None:
    """Makes a target what it must be; None takes it away."""
    if kind == "crontab":
        _only_on_this_machine(tree)
        crontab.write(crontab.join(crontab.read(), new.content if new else None))
    elif new is None:
        tree.delete(path)
    else:
        tree.write(path, new)


def _only_on_this_machine(tree: Tree) -> None:
    """crontab(1) knows no other root: below one it would change this machine's own crontab."""
    if tree.root != "/":
        raise Refused(
            "without /etc/cron.d the schedule goes into root's crontab, which cannot be written "
            f"below {tree.root}: choose another backend"
        )


@dataclass(frozen=True)
class State:
    """What the last apply left: the print of each target, the units it owns, and its plan."""

    files: dict[str, tuple[str, Print]]  # path -> (kind, print)
    units: tuple[str, ...] = ()
    plan: str = ""  # the text of the plan applied

    def to_bytes(self) -> bytes:
        data = {
            "schema_version": SCHEMA_VERSION,
            "files": {
                path: {"kind": kind, **mark.to_json()} for path, (kind, mark) in self.files.items()
            },
            "units": list(self.units),
            "plan": self.plan,
        }
        return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()


def read_state(tree: Tree) -> State:
    """The state, empty before the first apply. Raises :class:`ApplyFailed` if it is damaged."""
    snapshot = tree.snapshot(STATE)
    if snapshot is None:
        return State({})
    try:
        data = json.loads(snapshot.content)
        files = {
            path: (str(item["kind"]), Print.from_json(item)) for path, item in data["files"].items()
        }
        if data["schema_version"] != SCHEMA_VERSION:
            raise ApplyFailed(f"{STATE} is from a newer certtui: upgrade certtui on this host")
        return State(files, tuple(data["units"]), str(data["plan"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ApplyFailed(
            f"{STATE} cannot be read ({type(error).__name__}): restore it from a backup, "
            "or move it away; then files that certtui wrote count as foreign"
        ) from None
