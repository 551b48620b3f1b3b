"""Room where a renewal writes, and whether it may write there at all."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from certtui.change.store import HOME
from certtui.doctor.check import Check, Context, Kind, needs_root
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.interface import Space
from certtui.host.mounts import TABLE, options, remount
from certtui.render import places

_ROOM = Kind(
    "disk.room",
    Status.FAIL,
    "10 MB and 100 inodes for what a renewal writes, and more than that to go on",
    "On a full disk certbot gets a certificate that it cannot save (certbot #5009), and leaves a "
    "log that ends in the middle; neither the run nor its mail can be noted.",
)
_LOW = Kind(
    "disk.low",
    Status.WARN,
    "100 MB, and 1 % of the disk, where a renewal writes",
    "What is left today may be gone at the next renewal, in a month or two.",
)
_READ_ONLY = Kind(
    "disk.read-only",
    Status.FAIL,
    "certbot may write its certificates and its log",
    "certbot opens its log before it does anything else and ends where it cannot; ext4 turns "
    "read-only by itself after an error (mount(8), errors=remount-ro).",
)

_MB = 10**6

#: Below these a renewal may fail, and below those one should look. Bytes, inodes.
_NEEDED, _NEEDED_INODES = 10 * _MB, 100
_WANTED, _WANTED_INODES = 100 * _MB, 1000

#: What a hundredth of a big disk is worth at the most.
_MOST = 1000 * _MB


def _folders(context: Context) -> tuple[tuple[str, str], ...]:
    """Where a renewal writes, each with what it writes there."""
    plan = context.plan
    config = places.config_dir(plan) if plan else "/etc/letsencrypt"
    logs = posixpath.dirname(places.log_file(plan)) if plan else "/var/log/letsencrypt"
    return (
        (config, "certificates"),
        (logs, "certbot's log"),
        (HOME, "the log of runs"),
        ("/tmp", "temporary files"),  # noqa: S108 - it is looked at, not used
    )


def _room(context: Context) -> Iterator[Finding]:
    """One finding a file system, which names every folder on it."""
    lying: dict[int, tuple[Space, list[str], list[str]]] = {}
    for folder, what in _folders(context):
        space = context.host.space(folder)
        if space is None:
            yield _ROOM.skip(folder, "the file system does not tell")
            continue
        _, folders, uses = lying.setdefault(space.device, (space, [], []))
        folders.append(folder)
        uses.append(what)
    for space, folders, uses in lying.values():
        yield _judged(context, space, folders, uses)


def _judged(context: Context, space: Space, folders: list[str], uses: list[str]) -> Finding:
    subject, left = ", ".join(folders), _left(space)
    mount = options(context.host, folders[0])
    evidence = f"{mount[0] if mount else subject}: {left}"
    if _below(space, _NEEDED, _NEEDED_INODES, 20):
        return _ROOM.found(subject, f"{left}: no room for {', '.join(uses)}", evidence)
    # A hundredth of a disk of terabytes is room enough for years.
    wanted = max(_WANTED, min(space.total // 100, _MOST))
    if _below(space, wanted, _WANTED_INODES, 10):
        return _LOW.found(subject, f"{left} for {', '.join(uses)}", evidence)
    return _ROOM.ok(subject, left)


def _below(space: Space, size: int, inodes: int, share: int) -> bool:
    """Whether less is left than ``size`` bytes or ``inodes``.

    Of a small file system one ``share``-th is enough: a /tmp of some megabytes may well be empty.
    """
    few = space.free_inodes < min(inodes, space.inodes // share)
    return few or space.free < min(size, space.total // share)


def _left(space: Space) -> str:
    few = space.inodes > 0 and space.free_inodes < _WANTED_INODES
    inodes = f", {space.free_inodes} inodes" if few else ""
    size = space.free
    shown = f"{size / 1000 / _MB:.1f} GB" if size >= 1000 * _MB else f"{size / _MB:.1f} MB"
    return f"{shown}{inodes} left"


def _writable(context: Context) -> Iterator[Finding]:
    """The folders of certbot; what ``mount.read-only`` says of certtui's own is not said twice."""
    try:
        home = options(context.host, HOME)
        mounted = [(*one, options(context.host, one[0])) for one in _folders(context)[:2]]
    except PermissionError:
        yield _READ_ONLY.skip("", needs_root(TABLE))
        return
    told = {home[0]} if home is not None else set()
    problems: list[Finding] = []
    for folder, what, found in mounted:
        if found is None or "ro" not in found[1] or found[0] in told:
            continue
        where, seen = found
        told.add(where)
        message = f"lies on {where}, which is mounted read-only: {what} cannot be written"
        evidence = f"{TABLE}: {where} {','.join(sorted(seen))}"
        fix = Fix(remount(context.host, where, "rw"))
        problems.append(_READ_ONLY.found(folder, message, evidence, fix))
    folders = ", ".join(folder for folder, _, found in mounted if found is not None)
    if problems:
        yield from problems
    elif folders:
        yield _READ_ONLY.ok(folders, "not mounted read-only")
    else:
        yield _READ_ONLY.skip("", f"{TABLE} does not tell")


CHECKS = (Check((_ROOM, _LOW), _room), Check((_READ_ONLY,), _writable))
