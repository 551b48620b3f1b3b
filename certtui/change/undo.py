"""Undo and remove: the journal's generations taken back, the last one or all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certtui.change import store, units
from certtui.change.files import Tree
from certtui.change.journal import Journal, Operation, Record
from certtui.change.lock import locked
from certtui.change.model import Action, Result, Snapshot
from certtui.change.run import OnStep, Transaction
from certtui.change.units import Enablement
from certtui.errors import Refused
from certtui.host.interface import Host
from certtui.plan.model import INSTALLED_PLAN

#: What scripts of ours write besides the log, which stays.
_LEFTOVERS = (f"{store.HOME}/pending-deploy", f"{store.HOME}/mail-state")


#: Where ``--force`` keeps the edits that it overwrites.
_SAVED = f"{store.HOME}/edited"


@dataclass(frozen=True)
class _Back:
    """One target to take back: the oldest record of it and the newest print that we left."""

    generation: str
    oldest: Record
    newest: Record


def undo(
    host: Host, tree: Tree, *, force: bool = False, on_step: OnStep = lambda step: None
) -> Result:
    """Takes back the last apply that changed something.

    Raises :class:`Refused` if there is none, or if a file was edited since (unless ``force``).
    """
    return _take_back(host, tree, "undo", force, on_step)


def remove(
    host: Host, tree: Tree, *, force: bool = False, on_step: OnStep = lambda step: None
) -> Result:
    """Takes back every apply; only the log of runs and the lock stay. Raises as :func:`undo`."""
    return _take_back(host, tree, "remove", force, on_step)


def _take_back(host: Host, tree: Tree, what: str, force: bool, on_step: OnStep) -> Result:
    with locked(tree):
        journal = Journal(tree, host)
        work = Transaction(host, tree, journal, on_step)
        mended = journal.recover()
        if mended:
            work.say(mended)
        generations = journal.generations()
        if not generations:
            raise Refused("nothing to take back: certtui has applied nothing on this host")
        chosen = generations[-1:] if what == "undo" else generations
        backs = _collect(journal, chosen)
        operations = _operations(journal, tree, backs, what, force)
        wanted = _units_before(journal, chosen)
        now = units.query(host, wanted)
        changed = [o.path for o in operations if o.path.startswith(units.UNIT_FOLDER)]
        with work.journalled(lambda: journal.begin(what, operations, now, chosen)):
            for action in _before_files(wanted, now):
                work.command(action)
            work.carry_out(operations)
            if changed and wanted:
                work.command(Action(("systemctl", "daemon-reload"), "systemd forgets our units"))
            for action in _after_files(wanted, units.query(host, wanted), changed):
                work.command(action)
        if what == "remove":
            _sweep(tree)
            _tell_kept(work, tree, backs.get(("file", INSTALLED_PLAN)))
        return Result(True, tuple(work.steps))


def _tell_kept(work: Transaction, tree: Tree, plan: _Back | None) -> None:
    """The plan edited by hand stays where remove takes everything else away."""
    live = store.fingerprint(tree.snapshot(INSTALLED_PLAN))
    if plan is not None and live is not None and live != plan.oldest.before:
        work.say(f"kept {INSTALLED_PLAN}: it was edited by hand")


def _collect(journal: Journal, generations: Sequence[str]) -> dict[tuple[str, str], _Back]:
    backs: dict[tuple[str, str], _Back] = {}
    for generation in generations:
        for record in journal.intent(generation).records:
            key = (record.kind, record.path)
            first = backs.get(key)
            backs[key] = _Back(
                first.generation if first else generation,
                first.oldest if first else record,
                record,
            )
    return backs


def _operations(
    journal: Journal, tree: Tree, backs: Mapping[tuple[str, str], _Back], what: str, force: bool
) -> list[Operation]:
    """Files newest first, then the directories that apply made, innermost first."""
    operations: list[Operation] = []
    folders: list[Operation] = []
    edited: list[Operation] = []
    for (kind, path), back in reversed(list(backs.items())):
        if kind == "directory":
            folders.append(Operation(kind, path, _folder(tree, 0o755), None))
            continue
        live = store.read_target(tree, kind, path)
        known = (back.newest.after, back.oldest.before)
        if live and store.fingerprint(live) not in known:
            if path == INSTALLED_PLAN and what == "remove":
                continue  # the administrator's own words: never deleted unasked
            edited.append(Operation(kind, path, live, None))
        old = journal.old(back.generation, back.oldest)
        if live != old:
            operations.append(Operation(kind, path, live, old))
    if edited and not force:
        lines = [f"{operation.path}: edited since certtui wrote it" for operation in edited]
        lines.append(f"nothing was changed: {what} --force saves these edits in {_SAVED} first")
        raise Refused("\n".join(lines))
    operations.sort(key=lambda operation: operation.path == store.STATE)
    return _saving(tree, edited) + operations + folders


def _saving(tree: Tree, edited: Sequence[Operation]) -> list[Operation]:
    """Copies of files that ``--force`` is about to overwrite."""
    if not edited:
        return []
    copies = [Operation("directory", _SAVED, None, _folder(tree, 0o700))]
    for operation in edited:
        path = f"{_SAVED}/{operation.path.strip('/').replace('/', '-')}"
        copies.append(Operation("file", path, tree.snapshot(path), operation.before))
    return copies


def _folder(tree: Tree, mode: int) -> Snapshot:
    return Snapshot(b"", mode, tree.uid, tree.gid)


def _units_before(journal: Journal, generations: Sequence[str]) -> dict[str, Enablement]:
    """How each unit stood before the oldest of the generations that knew it."""
    wanted: dict[str, Enablement] = {}
    for generation in generations:
        for unit, state in journal.intent(generation).units.items():
            wanted.setdefault(unit, state)
    return wanted


def _before_files(wanted: Mapping[str, Enablement], now: Mapping[str, Enablement]) -> list[Action]:
    """Others on first, then ours off while their files are there: never does nothing renew."""
    actions = []
    for unit, then in wanted.items():
        if now[unit].fragment:
            actions += _switch(unit, then, now[unit], on=True)
    for unit, then in wanted.items():
        actions += _switch(unit, then, now[unit], on=False)
        if not then.file_state and now[unit].fragment:
            # The stamp of a persistent timer would outlive it (systemctl(1), clean).
            argv = ("systemctl", "clean", "--what=state", unit)
            actions.append(Action(argv, "its stamp goes with it"))
    return actions


def _after_files(
    wanted: Mapping[str, Enablement], now: Mapping[str, Enablement], changed: Sequence[str]
) -> list[Action]:
    actions = []
    for unit, then in wanted.items():
        actions += _switch(unit, then, now[unit], on=True)
        if units.UNIT_FOLDER + unit in changed and then.active and now[unit].active:
            actions.append(Action(("systemctl", "restart", unit), "its file is the old one again"))
    return actions


def _switch(unit: str, then: Enablement, now: Enablement, *, on: bool) -> list[Action]:
    pairs = ("enable", "start") if on else ("disable", "stop")
    why = "as it was before"
    actions = []
    if then.enabled == on != now.enabled:
        actions.append(Action(("systemctl", pairs[0], unit), why))
    if then.active == on != now.active:
        actions.append(Action(("systemctl", pairs[1], unit), why))
    return actions


def _sweep(tree: Tree) -> None:
    for path in _LEFTOVERS:
        tree.delete(path)
    tree.rmdir(store.JOURNAL)
