"""What an apply in a session of its own has done so far, and how it ended, for whoever asks next.

A lost connection takes the terminal away, not the apply. Its record stays until a person has seen
it; without one the next start of certtui has nothing to tell.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from certtui.change import store
from certtui.change.files import Tree
from certtui.change.model import Step

#: One JSON object a line: begun, each step, ended. Root alone may read it (0600 in a 0700 folder).
RECORD = f"{store.HOME}/last-apply.jsonl"

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Ending:
    """How an apply ended; ``code`` is the exit code, ``sentence`` says why it did not succeed."""

    ok: bool
    changed: bool = False
    code: int = 0
    sentence: str = ""
    #: for a refusal nothing was ever written, so that there was nothing to take back
    refused: bool = False
    #: killed before it could end; ``sentence`` is what recovery did
    killed: bool = False


@dataclass(frozen=True)
class Record:
    """What is known of it. ``began`` is aware UTC; no ``ending``: at work still, or killed."""

    began: datetime
    steps: tuple[Step, ...] = ()
    ending: Ending | None = None


class Recorder:
    """Writes the record as the apply goes. A record that cannot be kept does not stop an apply."""

    def __init__(self, tree: Tree, *, begun: bool = False) -> None:
        self._tree = tree
        self._begun = begun

    def step(self, step: Step) -> None:
        """One step; the first one means that the lock is ours, and begins the record anew."""
        self._write({"event": "step", **asdict(step)})

    def ended(self, ending: Ending) -> None:
        """How it ended."""
        self._write({"event": "ended", **asdict(ending)})

    def _write(self, event: Mapping[str, Any]) -> None:
        lines = [event]
        if not self._begun:
            now = datetime.now(timezone.utc)
            lines.insert(0, {"event": "begun", "at": now.isoformat(timespec="seconds")})
        text = "".join(json.dumps(line) + "\n" for line in lines)
        how = os.O_APPEND if self._begun else os.O_TRUNC
        try:
            with self._tree.parent(RECORD) as (at, name):
                fd = os.open(name, _FLAGS | how, 0o600, dir_fd=at)
            with os.fdopen(fd, "wb") as file:
                file.write(text.encode())
        except OSError:
            return  # a full disk: the apply itself will say so, and undo what it did
        self._begun = True


def read(tree: Tree) -> Record | None:
    """The record, if there is one that can be read."""
    try:
        snapshot = tree.snapshot(RECORD)
    except PermissionError:
        return None
    if snapshot is None:
        return None
    record: Record | None = None
    for line in snapshot.content.splitlines():
        try:
            record = _with(record, json.loads(line))
        except (ValueError, KeyError, TypeError):
            break  # cut off by a full disk or a lost machine: what stands before it counts
    return record


def _with(record: Record | None, event: dict[str, Any]) -> Record | None:
    kind = event.pop("event")
    if kind == "begun" or record is None:
        return Record(datetime.fromisoformat(event["at"]))
    if kind == "step":
        return Record(record.began, (*record.steps, Step(**event)))
    return Record(record.began, record.steps, Ending(**event))


def forget(tree: Tree) -> None:
    """A person has seen it."""
    try:
        tree.delete(RECORD)
    except OSError:
        return  # told once more by the next start: no harm


def mended(tree: Tree, what: str) -> None:
    """Recovery took back or finished an apply that was killed: ``what`` is its sentence.

    Whoever had it done, such as a wizard that lost its terminal, may not be who is to be told.
    """
    record = read(tree)
    if record is not None and record.ending is None:
        Recorder(tree, begun=True).ended(Ending(False, sentence=what, killed=True))


def _head(record: Record) -> str:
    return f"The apply of {record.began.astimezone():%H:%M} that lost its terminal"


def cut_off(record: Record, mended: str) -> str:
    """The same for one that was killed; ``mended`` is what recovery did, if there was anything."""
    what = mended or "see what is there: certtui diff"
    return f"{_head(record)} was ended from outside; {what}"


def sentence(record: Record) -> str:
    """For the next start: how the apply ended that nobody saw end; "" while nobody knows."""
    ending = record.ending
    if ending is None:
        return ""
    if ending.killed:
        return cut_off(record, ending.sentence)
    head = _head(record)
    if ending.ok and ending.changed:
        return f"{head} finished: applied as reviewed. Now prove it: certtui dry-run"
    if ending.ok:
        return f"{head} finished: there was nothing to change."
    how = "was refused, nothing was changed" if ending.refused else "was taken back"
    return f"{head} {how}: {ending.sentence}"
