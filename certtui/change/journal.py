"""The journal: what an apply is about to do, written down before it does it.

``new/`` is being written; renamed to ``current/`` it is the intent, with the old bytes of every
target; the file ``committed`` in it says that all of it holds; renamed to ``000001/`` it is a
generation that undo can take back. Whatever moment the machine dies, :func:`recover` looks at the
targets' prints alone and leaves each exactly old (before the commit) or exactly new (after).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from certtui.change import jobs, services, store, units
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


def changes(made: Iterable[Operation | Record]) -> set[str]:
    """The paths that are not the same before and after."""
    return {item.path for item in made if item.before != item.after}


@dataclass(frozen=True)
class Beside:
    """What a transaction touches beside its targets, as that stood before.

    ``scripts`` are the at scripts whose jobs may come or go; ``packages`` are installed by it and
    stay whatever becomes of it.
    """

    units: Mapping[str, Enablement] = field(default_factory=dict)
    services: Mapping[str, Enablement] = field(default_factory=dict)
    scripts: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "units": {unit: state.to_json() for unit, state in self.units.items()},
            "services": {name: state.to_json() for name, state in self.services.items()},
            "scripts": list(self.scripts),
            "packages": list(self.packages),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Beside:
        """All but the units came later: a journal of an earlier certtui is without them."""
        return cls(
            _states(data["units"]),
            _states(data.get("services", {})),
            tuple(data.get("scripts", ())),
            tuple(data.get("packages", ())),
        )


def _states(data: Mapping[str, Any]) -> dict[str, Enablement]:
    return {name: Enablement.from_json(state) for name, state in data.items()}


@dataclass(frozen=True)
class Intent:
    """A transaction: ``what`` is apply, undo or remove; ``takes_back`` the generations it ends."""

    what: str
    records: tuple[Record, ...]
    beside: Beside = field(default_factory=Beside)
    takes_back: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        data = {
            "schema_version": store.SCHEMA_VERSION,
            "what": self.what,
            "records": [record.to_json() for record in self.records],
            **self.beside.to_json(),
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
                Beside.from_json(data),
                tuple(data["takes_back"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
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
        beside: Beside,
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
        intent = Intent(what, tuple(records), beside, tuple(takes_back))
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
        """Puts every target, unit and job back as it was; what could not be, as sentences."""
        beside = intent.beside
        changed = changes(intent.records)
        problems = units.switch_off(self.host, beside.units)
        for record in reversed(intent.records):
            problems += self._put_back(record)
        reload = any(path.startswith(units.UNIT_FOLDER) for path in changed)
        if beside.units:
            problems += units.restore(self.host, beside.units, reload=reload)
        problems += units.run(self.host, services.put_back(self.host, beside.services))
        problems += jobs.settle(
            self.host, self.tree, beside.scripts, bool(changed & {*beside.scripts})
        )
        self.folder.discard("current")
        return problems

    def _put_back(self, record: Record) -> list[str]:
        if record.kind == "directory":
            if record.before is None:
                self.tree.rmdir(record.path)
            else:
                self.tree.mkdir(record.path, record.before.mode)
            return []
        self.tree.clean(record.path)
        live = store.fingerprint(store.read_target(self.tree, record.kind, record.path))
        if live == record.before:
            return []
        if live != record.after:
            return [f"{record.path} was changed by somebody else meanwhile: left as it is"]
        old = self.old("current", record)
        store.write_target(self.tree, record.kind, record.path, old)
        return []

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
