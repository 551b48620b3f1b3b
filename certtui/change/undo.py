"""Undo and remove: the journal's generations taken back, the last one or all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from certtui.change import jobs, outcome, services, store, units
from certtui.change.files import Tree
from certtui.change.journal import Beside, Journal, Operation, Record
from certtui.change.lock import locked
from certtui.change.model import Action, Result, Snapshot
from certtui.change.run import OnStep, Transaction
from certtui.change.units import Enablement
from certtui.errors import Refused
from certtui.host import atjobs
from certtui.host.interface import Host
from certtui.plan.model import INSTALLED_PLAN

#: What is written there besides the log, which stays.
_LEFTOVERS = (
    f"{store.HOME}/pending-deploy",
    f"{store.HOME}/server-ended",
    f"{store.HOME}/command-output",
    f"{store.HOME}/mailer-output",
    f"{store.HOME}/mail-state",
    f"{store.HOME}/last-mail",
    f"{store.HOME}/last-mail.new",
    f"{store.HOME}/drill",
    outcome.RECORD,
    *jobs.LEFTOVERS,
)

_AS_BEFORE = "as it was before"

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
        then = _beside(journal, chosen)
        now = replace(
            then,
            units=units.query(host, then.units),
            services=services.query(host, then.services),
        )
        with work.journalled(lambda: journal.begin(what, operations, now, chosen)):
            for action in _before_files(then, now, host, operations):
                work.command(action)
            work.carry_out(operations)
            after = _after_files(then, host, tree, operations)
            work.after_files(then.scripts, operations, after)
        work.tell_packages(then.packages)
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


def _beside(journal: Journal, generations: Sequence[str]) -> Beside:
    """How units and services stood before the oldest of the generations that knew them."""
    found = Beside()
    for generation in generations:
        beside = journal.intent(generation).beside
        found = Beside(
            {**beside.units, **found.units},
            {**beside.services, **found.services},
            tuple(dict.fromkeys((*found.scripts, *beside.scripts))),
            tuple(dict.fromkeys((*found.packages, *beside.packages))),
        )
    return found


def _before_files(
    then: Beside, now: Beside, host: Host, operations: Sequence[Operation]
) -> list[Action]:
    """Others on first, then ours off while their files are there: never does nothing renew."""
    actions = []
    for unit, state in then.units.items():
        if now.units[unit].fragment:
            actions += _switch(unit, state, now.units[unit], on=True)
    for unit, state in then.units.items():
        actions += _switch(unit, state, now.units[unit], on=False)
        if unit.endswith(".timer") and not state.file_state and now.units[unit].fragment:
            # The stamp of a persistent timer would outlive it (systemctl(1), clean).
            argv = ("systemctl", "clean", "--what=state", unit)
            actions.append(Action(argv, "its stamp goes with it"))
    going = {operation.path for operation in operations if operation.after is None}
    if going & {*then.scripts}:
        waiting = [job for job in atjobs.ours(host) if job.script in going]
        actions += jobs.removal(waiting, "its script goes")
    return actions


def _after_files(
    then: Beside, host: Host, tree: Tree, operations: Sequence[Operation]
) -> Iterator[Action]:
    """Units, services and jobs as their files are again; asked for one after the other."""
    changed = [o.path for o in operations if o.path.startswith(units.UNIT_FOLDER)]
    if changed and then.units:
        yield Action(("systemctl", "daemon-reload"), "systemd forgets our units")
    now = units.query(host, then.units)
    for unit, state in then.units.items():
        if now[unit].fragment:  # else its package is gone, and nobody can switch it on
            yield from _switch(unit, state, now[unit], on=True)
        if units.UNIT_FOLDER + unit in changed and state.active and now[unit].active:
            yield Action(("systemctl", "restart", unit), "its file is the old one again")
    for argv in services.put_back(host, then.services):
        yield Action(argv, _AS_BEFORE)
    yield from (jobs.queueing(path) for path in jobs.standing(tree, then.scripts))


def _switch(unit: str, then: Enablement, now: Enablement, *, on: bool) -> list[Action]:
    pairs = ("enable", "start") if on else ("disable", "stop")
    actions = []
    if then.enabled == on != now.enabled:
        actions.append(Action(("systemctl", pairs[0], unit), _AS_BEFORE))
    if then.active == on != now.active:
        actions.append(Action(("systemctl", pairs[1], unit), _AS_BEFORE))
    return actions


def _sweep(tree: Tree) -> None:
    for path in _LEFTOVERS:
        tree.delete(path)
    tree.rmdir(store.JOURNAL)
