"""The journal: what an apply is about to do, written down before it does it.

``new/`` is being written; renamed to ``current/`` it is the intent, with the old bytes of every
target; the file ``committed`` in it says that all of it holds; renamed to ``000001/`` it is a
generation that undo can take back. Whatever moment the machine dies, :func:`recover` looks at the
targets' prints alone and leaves each exactly old (before the commit) or exactly new (after).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from certtui.change import store, units
from certtui.change.files import Tree
from certtui.change.folder import Folder
from certtui.change.model import Snapshot
from certtui.change.store import Print
from certtui.change.units import Enablement
from certtui.errors import ApplyFailed
from certtui.host.interface import Host


@dataclass(frozen=True)
class Operation:
    """One target and what it was and will be; ``kind`` is file, crontab or directory."""

    kind: str
    path: str
    before: Snapshot | None
    after: Snapshot | None


@dataclass(frozen=True)
class Record:
    """An operation as the journal holds it: prints instead of bytes, old bytes in ``data``."""

    kind: str
    path: str
    before: Print | None
    after: Print | None
    data: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "path": self.path,
            "before": self.before.to_json() if self.before else None,
            "after": self.after.to_json() if self.after else None,
            "data": self.data,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        before, after = data["before"], data["after"]
        return cls(
            data["kind"],
            data["path"],
            Print.from_json(before) if before else None,
            Print.from_json(after) if after else None,
            data["data"],
        )


@dataclass(frozen=True)
class Intent:
    """A transaction: ``what`` is apply, undo or remove; ``takes_back`` the generations it ends."""

    what: str
    records: tuple[Record, ...]
    units: dict[str, Enablement] = field(default_factory=dict)
    takes_back: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        data = {
            "schema_version": store.SCHEMA_VERSION,
            "what": self.what,
            "records": [record.to_json() for record in self.records],
            "units": {unit: state.to_json() for unit, state in self.units.items()},
            "takes_back": list(self.takes_back),
        }
        return (json.dumps(data, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes, where: str) -> Intent:
        try:
            data = json.loads(content)
            return cls(
                data["what"],
                tuple(Record.from_json(item) for item in data["records"]),
                {unit: Enablement.from_json(state) for unit, state in data["units"].items()},
                tuple(data["takes_back"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ApplyFailed(f"{where} is damaged ({type(error).__name__})") from None


class Journal:
    """The folder ``/var/lib/certtui/journal``. Every method wants the lock held."""

    def __init__(self, tree: Tree, host: Host) -> None:
        self.tree = tree
        self.host = host
        self.folder = Folder(tree, store.JOURNAL)

    def generations(self) -> list[str]:
        """Names of the finished applies, oldest first."""
        return [name for name in self.folder.names() if name.isdigit()]

    def intent(self, name: str) -> Intent:
        """What a generation, or "current", wrote down."""
        path = f"{store.JOURNAL}/{name}/intent.json"
        return Intent.from_bytes(self.folder.read(name, "intent.json"), path)

    def old(self, name: str, record: Record) -> Snapshot | None:
        """The snapshot a record took before."""
        if record.before is None:
            return None
        content = self.folder.read(name, record.data)
        return Snapshot(content, record.before.mode, record.before.uid, record.before.gid)

    def begin(
        self,
        what: str,
        operations: Sequence[Operation],
        unit_states: dict[str, Enablement],
        takes_back: Sequence[str] = (),
    ) -> Intent:
        """Writes the intent with every old byte, durably, before anything else is touched."""
        self.folder.create("new")
        records = []
        for index, operation in enumerate(operations):
            data = ""
            if operation.before is not None and operation.kind != "directory":
                data = f"{index:03d}.before"
                self.folder.write("new", data, operation.before.content)
            records.append(
                Record(
                    operation.kind,
                    operation.path,
                    store.fingerprint(operation.before),
                    store.fingerprint(operation.after),
                    data,
                )
            )
        intent = Intent(what, tuple(records), unit_states, tuple(takes_back))
        self.folder.write("new", "intent.json", intent.to_bytes())
        self.folder.rename("new", "current")
        return intent

    def commit(self) -> None:
        """From here on recovery goes forward."""
        self.folder.write("current", "committed", b"")

    def finish(self, intent: Intent) -> None:
        """Makes a committed apply a generation; a committed undo ends those it took back."""
        if intent.what == "apply":
            last = self.generations()
            self.folder.rename("current", f"{int(last[-1]) + 1 if last else 1:06d}")
            return
        for name in intent.takes_back:
            self.folder.discard(name)
        self.folder.discard("current")

    def roll_back(self, intent: Intent) -> list[str]:
        """Puts every target and unit back as it was; what could not be, as sentences."""
        problems = units.switch_off(self.host, intent.units)
        reload = False
        for record in reversed(intent.records):
            if record.kind == "directory":
                if record.before is None:
                    self.tree.rmdir(record.path)
                else:
                    self.tree.mkdir(record.path, record.before.mode)
                continue
            self.tree.clean(record.path)
            live = store.fingerprint(store.read_target(self.tree, record.kind, record.path))
            if live == record.before:
                continue
            if live != record.after:
                problems.append(
                    f"{record.path} was changed by somebody else meanwhile: left as it is"
                )
                continue
            old = self.old("current", record)
            store.write_target(self.tree, record.kind, record.path, old)
            reload = reload or record.path.startswith(units.UNIT_FOLDER)
        if intent.units:
            problems += units.restore(self.host, intent.units, reload=reload)
        self.folder.discard("current")
        return problems

    def pending(self) -> bool:
        """Whether an earlier certtui was cut off and something must be mended."""
        return bool(set(self.folder.names()) & {"new", "current"}) or self.folder.has_trash()

    def recover(self) -> str:
        """Ends what a killed certtui began; a sentence saying what was done, or ""."""
        self.folder.empty_trash()
        names = self.folder.names()
        if "new" in names:
            self.folder.discard("new")
        if "current" not in names:
            return ""
        intent = self.intent("current")
        if "committed" in self.folder.names("current"):
            self.finish(intent)
            return f"an interrupted {intent.what} was finished"
        problems = self.roll_back(intent)
        return "; ".join([f"an interrupted {intent.what} was taken back", *problems])
