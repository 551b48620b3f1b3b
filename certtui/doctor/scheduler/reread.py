"""Did cron read our file again? It does so only when the file's time of change is another one.

cron(8) compares whole seconds: whoever edits a file and puts its old time back (``touch -r``,
``cp -p``, ``rsync -t``) changes what people read, and not what cron starts. Which time cron knows
is told by the journal of the apply that wrote the file.
"""

from __future__ import annotations

import hashlib

from certtui.change import store
from certtui.change.files import Tree
from certtui.change.journal import Journal
from certtui.doctor.check import Context
from certtui.errors import ApplyFailed
from certtui.host import units


def is_unread(context: Context, path: str, live: bytes) -> bool:
    """Whether a file of ours holds something else than we wrote, at the very time we wrote it.

    What cron has read as it was started since counts as read. False also where our own records do
    not tell: then it is an edited file like any other.
    """
    found = context.host.info(path)
    try:
        written = _written(context, path)
    except (ApplyFailed, PermissionError):
        return False  # drift.state says what is wrong with the record
    if found is None or written is None:
        return False
    mark, begun, ended = written
    if hashlib.sha256(live).hexdigest() == mark or not begun <= int(found.mtime) <= ended:
        return False
    changed, started = _changed(context, path), _started(context)
    # cron reads at each full minute: before the first one it knew nothing of the file.
    if changed is None or changed // 60 <= ended // 60:
        return False
    return started is None or started <= changed


def seen(context: Context, path: str) -> str:
    """The evidence: what the file's times say."""
    answer = context.host.run(["stat", "-c", "%n: time of change %y, put there %z", path])
    return answer.text


def _written(context: Context, path: str) -> tuple[str, int, int] | None:
    """SHA-256 of what the last apply wrote at a path, and the seconds in which it did so."""
    tree = Tree(context.host.root)
    known = store.read_state(tree).files.get(path)
    if known is None:
        return None
    journal = Journal(tree, context.host)
    for name in reversed(journal.generations()):
        if any(
            item.path == path and item.after and item.after != item.before
            for item in journal.intent(name).records
        ):
            times = [
                found.mtime
                for word in ("intent.json", "committed")
                if (found := context.host.info(f"{store.JOURNAL}/{name}/{word}"))
            ]
            # A file may be a second ahead, so that cron reads it again (change/files.py).
            return (known[1].sha256, int(times[0]), int(times[1]) + 1) if len(times) == 2 else None
    return None


def _changed(context: Context, path: str) -> int | None:
    """When the file itself was last touched, which nobody can put back (inode(7), ctime)."""
    answer = context.host.run(["stat", "-c", "%Z", path])
    return int(answer.out) if answer.ok and answer.out.strip().isdigit() else None


def _started(context: Context) -> float | None:
    unit = context.facts.cron.unit
    if not unit:
        return None
    asked = ["systemctl", "show", "-p", "ExecMainStartTimestamp", "--", unit]
    text = context.host.run(asked, env={"TZ": "UTC"}).out.partition("=")[2].strip()
    moment = units.moment(text)
    return moment.timestamp() if moment else None
