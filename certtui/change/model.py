"""What a preview and an apply say, as plain data for the command line, the JSON and the TUI."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Snapshot:
    """What is at a path: bytes, permission bits and numeric owner. Absent is ``None`` elsewhere."""

    content: bytes
    mode: int
    uid: int
    gid: int


@dataclass(frozen=True)
class FileChange:
    """One file of the preview. ``before`` or ``after`` is None where the file is absent.

    ``state`` is new, changed, same, conflict or removed; ``reason`` explains a conflict or says why
    the file is there.
    """

    path: str
    state: str
    before: Snapshot | None
    after: Snapshot | None
    owner: str
    reason: str
    kind: str = "file"

    @property
    def mode(self) -> int:
        shown = self.after or self.before
        return shown.mode if shown else 0

    def diff(self) -> str:
        """Unified diff with mode and owner in its head; empty when nothing changes."""
        before, after = self.before, self.after
        if before == after:
            return ""
        head = [f"--- {_label(self.path, before)}", f"+++ {_label(self.path, after)}"]
        lines = list(difflib.unified_diff(_lines(before), _lines(after), n=3))[2:]
        return "\n".join(head + [line.rstrip("\n") for line in lines]) + "\n"

    def counts(self) -> tuple[int, int]:
        """Lines added and removed."""
        lines = self.diff().splitlines()[2:]
        return (
            sum(line.startswith("+") for line in lines),
            sum(line.startswith("-") for line in lines),
        )


#: Seconds one command of an apply may take.
COMMAND_TIMEOUT = 90.0


@dataclass(frozen=True)
class Action:
    """A command that apply will run, exactly, and why.

    ``env`` are variables it is given besides, ``timeout`` is in seconds. One that is not
    ``interruptible`` is waited for before a signal to certtui acts.
    """

    argv: tuple[str, ...]
    why: str
    env: tuple[tuple[str, str], ...] = ()
    timeout: float = COMMAND_TIMEOUT
    interruptible: bool = True


@dataclass(frozen=True)
class Preview:
    """Everything apply would do. ``files`` includes those that stay the same."""

    files: tuple[FileChange, ...]
    actions: tuple[Action, ...]
    #: why apply would refuse, one sentence each (a missing package, no mailer)
    refusals: tuple[str, ...] = ()

    @property
    def conflicts(self) -> tuple[FileChange, ...]:
        return tuple(change for change in self.files if change.state == "conflict")

    @property
    def changed(self) -> bool:
        return bool(self.actions) or any(change.state != "same" for change in self.files)


@dataclass(frozen=True)
class Step:
    """One step of an apply as it ended."""

    what: str
    ok: bool
    message: str = ""


@dataclass(frozen=True)
class Result:
    """How an apply, undo or remove ended."""

    changed: bool
    steps: tuple[Step, ...] = field(default_factory=tuple)


def _label(path: str, snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return "/dev/null"
    return f"{path}\t{snapshot.mode:04o} {_owner(snapshot)}"


def _owner(snapshot: Snapshot) -> str:
    return "root:root" if snapshot.uid == snapshot.gid == 0 else f"{snapshot.uid}:{snapshot.gid}"


def _lines(snapshot: Snapshot | None) -> Sequence[str]:
    if snapshot is None:
        return []
    return snapshot.content.decode("utf-8", "backslashreplace").splitlines(keepends=True)
