"""The at queue as part of a change: no job of ours without its script, no script without its job.

Only the at script queues (``SCRIPT queue``, which is idempotent and takes stale jobs of its own
away); what is done here is to call it, and to take away the jobs of scripts that are no more.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from certtui.change import store
from certtui.change.files import Tree
from certtui.change.model import Action
from certtui.errors import Refused
from certtui.host.atjobs import Job, ours
from certtui.host.interface import Host

_NAMES = ("certbot-at-block", "certbot-at-random")

#: What at scripts keep in certtui's folder, of no use to another script; and their lock.
_STATE = (f"{store.HOME}/at-state", f"{store.HOME}/at-state.new")
_LOCK = f"{store.HOME}/at-lock"
#: All of that.
LEFTOVERS = (*_STATE, _LOCK)

#: Seconds to wait for scripts at work; they need the lock for a moment only.
_PATIENCE = 60.0


@dataclass(frozen=True)
class Queue:
    """What must be queued: the next job of ``script``, at ``when`` (aware, UTC, a whole minute).

    ``script`` is "" for a backend without at, ``when`` None where nothing need be queued now.
    """

    script: str = ""
    when: datetime | None = None


def scripts(paths: Iterable[str]) -> tuple[str, ...]:
    """The at scripts among paths, each once."""
    return tuple(dict.fromkeys(path for path in paths if path.rpartition("/")[2] in _NAMES))


def before_files(queue: Queue, waiting: Sequence[Job]) -> list[Action]:
    """Jobs whose script is no longer in the plan go before it does."""
    return removal(
        [job for job in waiting if job.script != queue.script], "its script is not in the plan"
    )


def after_files(queue: Queue, waiting: Sequence[Job], changed: Collection[str]) -> list[Action]:
    """The script queues its job where that is missing, or may be another by the changed script."""
    if not queue.script:
        return []
    missing = queue.when is not None and not any(
        job.script == queue.script and job.when == queue.when for job in waiting
    )
    return [queueing(queue.script)] if missing or queue.script in changed else []


def removal(jobs: Sequence[Job], why: str) -> list[Action]:
    """One command that takes jobs away, if there are any."""
    return [Action(("atrm", *(job.number for job in jobs)), why)] if jobs else []


def queueing(script: str) -> Action:
    """The command by which a script queues its own next job."""
    return Action((script, "queue"), "the next renewal waits in at's queue")


def orphans(host: Host, tree: Tree) -> list[Action]:
    """Jobs whose script is not there: one that was being queued while its script went."""
    jobs = [job for job in ours(host) if not _is_there(tree, job.script)]
    return removal(jobs, "its script is gone")


def standing(tree: Tree, paths: Iterable[str]) -> list[str]:
    """Those of our at scripts that are there as we wrote them: no other is ever started."""
    files = store.read_state(tree).files
    return [
        path
        for path in paths
        if path in files and files[path][1] == store.fingerprint(tree.snapshot(path))
    ]


def forget(tree: Tree, paths: Iterable[str]) -> None:
    """Takes away what a script noted that has changed: the slots of the new one may be others.

    The lock stays while any script is there: a lock that is deleted locks nothing.
    """
    there = any(_is_there(tree, path) for path in paths)
    for path in _STATE if there else LEFTOVERS:
        tree.delete(path)


def settle(host: Host, tree: Tree, paths: Sequence[str], changed: bool) -> list[str]:
    """Makes the queue fit the scripts as they are now; what could not be done, as sentences."""
    if not paths:
        return []
    with quiet(tree):
        if changed:
            forget(tree, paths)
        problems = _run(host, orphans(host, tree))
    return problems + _run(host, [queueing(path) for path in standing(tree, paths)])


def _run(host: Host, actions: Sequence[Action]) -> list[str]:
    problems = []
    for action in actions:
        done = host.run(action.argv, timeout=action.timeout)
        if not done.ok and not gone(host, action):
            problems.append(f"{' '.join(action.argv)}: {done.text}")
    return problems


@contextmanager
def quiet(tree: Tree) -> Iterator[None]:
    """Keeps at scripts from queue and state, once those at work are done (or after a minute)."""
    fd = _open_lock(tree)
    if fd is None:
        yield  # none was ever at work
        return
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _locked(fd) and time.monotonic() < deadline:
            time.sleep(0.1)
        yield
    finally:
        os.close(fd)


def _open_lock(tree: Tree) -> int | None:
    try:
        with tree.parent(_LOCK) as (at, name):
            return os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    except FileNotFoundError:
        return None


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def gone(host: Host, action: Action) -> bool:
    """Whether a removal that failed has nothing left to remove: the jobs have begun meanwhile."""
    return action.argv[0] == "atrm" and not {job.number for job in ours(host)} & {*action.argv[1:]}


def _is_there(tree: Tree, path: str) -> bool:
    try:
        return tree.snapshot(path) is not None
    except Refused:
        return True  # a link or the like: somebody's, and not missing
