"""Apply: makes the host what the plan says, all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from certtui.change import preview as compare
from certtui.change import store
from certtui.change.files import Tree
from certtui.change.jobs import Queue
from certtui.change.journal import Journal, Operation
from certtui.change.lock import locked
from certtui.change.model import Action, FileChange, Preview, Result, Snapshot, Step
from certtui.change.preview import Draft
from certtui.change.provision import Provision
from certtui.change.run import OnStep, Transaction
from certtui.change.store import State
from certtui.errors import Refused
from certtui.host.interface import Host
from certtui.render.artifact import Rendered


@dataclass(frozen=True)
class Consent:
    """What the administrator decided about files that certtui did not write.

    ``force`` replaces every conflict and overrides refusals; ``replace`` and ``keep`` name paths.
    The old bytes stay in the journal, so that undo brings them back.
    """

    force: bool = False
    replace: frozenset[str] = frozenset()
    keep: frozenset[str] = frozenset()


def apply(
    host: Host,
    tree: Tree,
    rendered: Rendered,
    *,
    plan_text: str,
    refusals: tuple[str, ...] = (),
    activate: bool = True,
    queue: Queue | None = None,
    provision: Provision | None = None,
    consent: Consent | None = None,
    approved: Preview | None = None,
    on_step: OnStep = lambda step: None,
) -> Result:
    """Applies under the lock. ``approved`` is the preview that a person agreed to.

    Raises Locked, Refused (nothing was written), ApplyFailed (all was taken back).
    """
    consent = consent or Consent()
    with locked(tree):
        journal = Journal(tree, host)
        work = Transaction(host, tree, journal, on_step)
        mended = journal.recover()
        if mended:
            work.say(mended)
        draft = compare.draft(
            host,
            tree,
            rendered,
            refusals=refusals,
            activate=activate,
            queue=queue,
            provision=provision,
        )
        changes = _to_carry_out(draft, consent, approved)
        if not changes and not draft.preview.actions:
            return Result(False, tuple(work.steps))
        _refuse_leftovers(tree, changes)
        operations = _operations(tree, changes, draft, rendered, plan_text)
        with work.journalled(lambda: journal.begin("apply", operations, draft.beside)):
            for action in draft.before:
                work.command(action)
            work.carry_out(operations)
            work.after_files(draft.beside.scripts, operations, _possible(draft, changes))
        return Result(True, tuple(work.steps))


def _possible(draft: Draft, changes: Sequence[FileChange]) -> list[Action]:
    """The commands after the files, but for starting a foreign file that was kept."""
    carried_out = {change.path for change in changes}
    kept = {change.path for change in draft.preview.conflicts} - carried_out
    return [action for action in draft.after if action.argv[0] not in kept]


def recover(host: Host, tree: Tree) -> Step | None:
    """Mends what a killed certtui left, if anything and if nobody holds the lock."""
    if not Journal(tree, host).pending():
        return None
    with locked(tree):
        mended = Journal(tree, host).recover()
    return Step(mended, True) if mended else None


def _to_carry_out(draft: Draft, consent: Consent, approved: Preview | None) -> list[FileChange]:
    preview = draft.preview
    if approved is not None:
        _compare_with_approved(preview, approved)
    if preview.refusals and not consent.force:
        raise Refused("\n".join(preview.refusals))
    open_conflicts = [
        change
        for change in preview.conflicts
        if not consent.force and change.path not in consent.replace | consent.keep
    ]
    if open_conflicts:
        lines = [f"{change.path}: {change.reason}" for change in open_conflicts]
        lines.append(
            "nothing was written: keep these files by changing the plan, or replace them with "
            "--force (certtui undo brings them back)"
        )
        raise Refused("\n".join(lines))
    kept = [change for change in preview.conflicts if change.path in consent.keep]
    # A file whose new name is taken by one that stays keeps its old name, else it would be gone.
    unmoved = [change.after for change in kept if change.kind == "moved"]
    return [
        change
        for change in preview.files
        if change.state != "same"
        and change not in kept
        and not (change.kind == "moved" and change.after is None and change.before in unmoved)
    ]


def _compare_with_approved(now: Preview, approved: Preview) -> None:
    then = {change.path: store.fingerprint(change.before) for change in approved.files}
    for change in now.files:
        if change.path not in then or then[change.path] != store.fingerprint(change.before):
            raise Refused(f"{change.path} was changed since the preview: look at it again")
    if now.actions != approved.actions:
        raise Refused("the host was changed since the preview: look at it again")


def _refuse_leftovers(tree: Tree, changes: Sequence[FileChange]) -> None:
    for change in changes:
        if change.kind != "crontab" and tree.leftover(change.path):
            raise Refused(
                f"a temporary file stands beside {change.path} and is not certtui's: "
                "look at its folder with ls -la and remove it"
            )


def _operations(
    tree: Tree,
    changes: Sequence[FileChange],
    draft: Draft,
    rendered: Rendered,
    plan_text: str,
) -> list[Operation]:
    """Directories first, files next, the state last: it describes what is then there."""
    operations: list[Operation] = []
    made: set[str] = set()
    files = [change for change in changes if change.kind != "crontab" and change.after]
    for folder in [f for change in files for f in tree.missing_folders(change.path)]:
        if folder not in made:
            made.add(folder)
            mode = 0o700 if folder in store.PRIVATE else 0o755
            operations.append(
                Operation("directory", folder, None, Snapshot(b"", mode, tree.uid, tree.gid))
            )
    operations += [
        Operation(change.kind, change.path, change.before, change.after) for change in changes
    ]
    operations += _adopted(draft, changes)
    state = _state_after(draft, changes, rendered, plan_text)
    content = Snapshot(state.to_bytes(), 0o600, tree.uid, tree.gid)
    operations.append(Operation("file", store.STATE, tree.snapshot(store.STATE), content))
    return operations


def _adopted(draft: Draft, changes: Sequence[FileChange]) -> list[Operation]:
    """Files brought by hand to what the plan wants: noted, so that undo knows them."""
    done = {change.path for change in changes}
    return [
        Operation(change.kind, change.path, change.before, change.after)
        for change in draft.preview.files
        if change.state == "same"
        and change.path not in done
        and change.path in draft.state.files
        and draft.state.files[change.path][1] != store.fingerprint(change.before)
    ]


def _state_after(
    draft: Draft, changes: Sequence[FileChange], rendered: Rendered, plan_text: str
) -> State:
    files = dict(draft.state.files)
    for change in changes:
        mark = store.fingerprint(change.after)
        if change.kind == "moved":
            continue
        if mark is None:
            files.pop(change.path, None)
        else:
            files[change.path] = (change.kind, mark)
    for change in draft.preview.files:
        mark = store.fingerprint(change.before)
        if change.state == "same" and mark is not None:
            files[change.path] = (change.kind, mark)
    ours = tuple(unit.unit for unit in rendered.units if unit.ours and unit.on)
    return State(files, ours, plan_text)
