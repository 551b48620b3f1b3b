"""Compares what must be with what is: the one list that diff shows and apply carries out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from certtui.change import jobs, services, store, units
from certtui.change.files import Tree
from certtui.change.jobs import Queue
from certtui.change.journal import Beside
from certtui.change.model import Action, FileChange, Preview, Snapshot
from certtui.change.provision import Provision
from certtui.change.store import State
from certtui.errors import NeedsRoot
from certtui.host import atjobs
from certtui.host.interface import Host
from certtui.render.artifact import Artifact, Rename, Rendered


@dataclass(frozen=True)
class Draft:
    """A preview with what apply needs beside it."""

    preview: Preview
    state: State
    beside: Beside
    before: tuple[Action, ...]
    after: tuple[Action, ...]


def draft(
    host: Host,
    tree: Tree,
    rendered: Rendered,
    *,
    refusals: tuple[str, ...] = (),
    activate: bool = True,
    queue: Queue | None = None,
    provision: Provision | None = None,
) -> Draft:
    """What an apply would do now. Raises Refused for unsafe paths, :class:`NeedsRoot`.

    ``activate`` is False where units are left alone: below another root and on hosts without
    systemd. Without ``queue`` at's queue is left alone. ``provision`` comes before everything.
    """
    try:
        state = store.read_state(tree)
        changes = _changes(tree, rendered, state)
    except PermissionError as error:
        raise NeedsRoot(f"{error.filename} may not be read by this user: run as root") from None
    moved = [change.path for change in changes if change.state != "same"]
    provision = provision or Provision()
    beside = Beside(services=services.query(host, provision.services), packages=provision.packages)
    before, after = [*provision.actions], list[Action]()
    if activate:
        wanted = rendered.units
        retired = [unit for unit in state.units if unit not in {item.unit for item in wanted}]
        names = [*(item.unit for item in wanted), *retired, *provision.units]
        now = units.query(host, names)
        beside = replace(beside, units=now)
        before += units.before_files(retired, now)
        after += units.after_files(wanted, now, _units(moved), rendered.verify)
    if queue is not None:
        waiting = atjobs.ours(host)
        beside = replace(beside, scripts=jobs.scripts([*state.files, queue.script]))
        before += jobs.before_files(queue, waiting)
        after += jobs.after_files(queue, waiting, moved)
    preview = Preview(changes, (*before, *after), refusals)
    return Draft(preview, state, beside, tuple(before), tuple(after))


def _units(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if path.startswith(units.UNIT_FOLDER)]


def _changes(tree: Tree, rendered: Rendered, state: State) -> tuple[FileChange, ...]:
    changes = [_of_artifact(tree, artifact, state) for artifact in rendered.artifacts]
    wanted = {artifact.path for artifact in rendered.artifacts}
    changes += [
        change
        for path, (kind, _) in state.files.items()
        if path not in wanted and (change := _of_removed(tree, kind, path, state))
    ]
    for rename in rendered.renames:
        found = tree.snapshot(rename.path)
        if found is not None:
            changes += _of_rename(tree, rename, found)
    return tuple(changes)


def _of_artifact(tree: Tree, artifact: Artifact, state: State) -> FileChange:
    live = store.read_target(tree, artifact.kind, artifact.path)
    want = Snapshot(artifact.content, artifact.mode, tree.uid, tree.gid)
    reason = artifact.why
    if live is None:
        word = "new"
    elif live == want:
        word = "same"
    elif live.content == want.content or _is_ours(artifact.path, live, state):
        word = "changed"
    else:
        word = "conflict"
        known = artifact.path in state.files
        reason = "edited since certtui wrote it" if known else "certtui did not write it"
    return FileChange(artifact.path, word, live, want, artifact.owner, reason, artifact.kind)


def _of_removed(tree: Tree, kind: str, path: str, state: State) -> FileChange | None:
    live = store.read_target(tree, kind, path)
    if live is None:
        return None
    if _is_ours(path, live, state):
        return FileChange(path, "removed", live, None, _owner(), "not in the plan any more", kind)
    reason = "not in the plan any more, but edited since certtui wrote it"
    return FileChange(path, "conflict", live, None, _owner(), reason, kind)


def _of_rename(tree: Tree, rename: Rename, found: Snapshot) -> list[FileChange]:
    """Both names of a foreign file; "moved" keeps it out of the list of files that are ours."""
    there = tree.snapshot(rename.to)
    word, reason = ("new", rename.why) if there is None else ("conflict", "exists already")
    return [
        FileChange(rename.path, "removed", found, None, _owner(), rename.why, "moved"),
        FileChange(rename.to, word, there, found, _owner(), reason, "moved"),
    ]


def _is_ours(path: str, live: Snapshot, state: State) -> bool:
    """Whether the bytes are those that we wrote; a changed mode or owner is mended, not kept."""
    known = state.files.get(path)
    found = store.fingerprint(live)
    return known is not None and found is not None and known[1].sha256 == found.sha256


def _owner() -> str:
    return "root:root"
