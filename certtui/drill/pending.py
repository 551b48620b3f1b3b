"""What waits to be loaded by the web server, left by a deploy drill as it was found."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace

from certtui.change.files import Tree
from certtui.doctor.records.history import PENDING
from certtui.drill import processes
from certtui.drill.trace import Trace
from certtui.host.interface import Host

_DONE = f"{PENDING}.done"
#: How the paths of the hooks end, wherever certbot's folder is.
_HOOKS = ("/renewal-hooks/deploy/certtui-deploy", "/renewal-hooks/post/certtui-reload")


def lines(tree: Tree) -> tuple[str, ...]:
    """The lineages that are noted, "" left out. Raises Refused, PermissionError."""
    return tuple(dict.fromkeys([*_lines(tree, _DONE), *_lines(tree, PENDING)]))


def _lines(tree: Tree, path: str) -> list[str]:
    found = tree.snapshot(path)
    text = found.content.decode("utf-8", "surrogateescape") if found else ""
    return [line for line in text.splitlines() if line.strip()]


def noted(host: Host) -> int:
    """When something was noted last (ns); doctor goes by it. 0 where nothing waits."""
    found = host.info(PENDING)
    return int(found.mtime * 1_000_000_000) if found else 0


def certificate(host: Host, lineage: str) -> str:
    """Which certificate a lineage has now: certbot turns this link at each renewal."""
    return host.link(f"{lineage}/cert.pem") or ""


def settle(host: Host, tree: Tree, before: Trace, *, killed: bool) -> list[str]:
    """After a deploy drill that proved nothing; problems as sentences.

    One that ends itself knows that what it had loaded is not served, so that it waits again. After
    one that was killed nobody knows: its hook, or a real run since, may have loaded all of it. Only
    a hook that ended well takes lines out, so that what is gone by then stays gone, and the drill's
    own are taken out. A hook that is still at work is let be. Raises OSError, Refused.
    """
    if not killed:
        put_back(host, tree, before)
        return []
    at_work = processes.running(host, _HOOKS)
    if at_work:
        return [f"{at_work[1]} is at work (process {at_work[0]}), so {PENDING} is left to it"]
    put_back(host, tree, replace(before, pending=_still(tree, before)))
    return []


def _still(tree: Tree, before: Trace) -> tuple[str, ...]:
    found = lines(tree)
    return tuple(line for line in before.pending if line in found)


def put_back(host: Host, tree: Tree, before: Trace) -> None:
    """What waited before waits again, the drill's own do not; a renewal meanwhile is kept.

    As the post hook does it: moved away first, so that what a certbot notes meanwhile stays. Raises
    OSError, Refused.
    """
    found = lines(tree)
    if _wanted(host, before, found) == found:
        return
    with tree.parent(PENDING) as (at, name):
        left = _lines(tree, _DONE)
        if left:  # of a hook that was killed
            _append(at, name, left)
        with contextlib.suppress(FileNotFoundError):
            os.rename(name, f"{name}.done", src_dir_fd=at, dst_dir_fd=at)
        wanted = _wanted(host, before, lines(tree))
        if wanted:
            _append(at, name, wanted, before.noted if wanted == before.pending else 0)
    tree.delete(_DONE)


def _wanted(host: Host, before: Trace, found: Sequence[str]) -> tuple[str, ...]:
    known = dict(before.certificates)
    kept = (line for line in found if line not in known or known[line] != certificate(host, line))
    return tuple(dict.fromkeys([*before.pending, *kept]))


def _append(at: int, name: str, wanted: Sequence[str], noted_at: int = 0) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(name, flags, 0o600, dir_fd=at)
    try:
        text = "".join(f"{line}\n" for line in wanted)
        os.write(fd, text.encode("utf-8", "surrogateescape"))
        os.fsync(fd)
        if noted_at:
            os.utime(fd, ns=(noted_at, noted_at))
    finally:
        os.close(fd)
