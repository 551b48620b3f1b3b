"""Room where a renewal writes, and whether it may write there at all."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from certtui.change.store import HOME
from certtui.doctor.check import Check, Context, Kind, needs_root
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.interface import Host, Space
from certtui.host.mounts import TABLE, options, read_only, remount
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
    "certbot may write its certificates, its log and its answers to the CA",
    "certbot opens its log before it does anything else and ends where it cannot; ext4 turns "
    "read-only by itself after an error (mount(8), errors=remount-ro).",
)

_NOT_A_FOLDER = Kind(
    "disk.not-a-folder",
    Status.FAIL,
    "certbot's log and its working files each have a folder",
    "certbot makes these folders at each start, and ends with 1 where another thing has the name, "
    "or a link that leads nowhere (certbot/_internal/main.py, make_or_verify_needed_dirs).",
)

_MB = 10**6

#: Below these a renewal may fail, and below those one should look. Bytes, inodes.
_NEEDED, _NEEDED_INODES = 10 * _MB, 100
_WANTED, _WANTED_INODES = 100 * _MB, 1000

#: Where the answers of http-01 are in a webroot (RFC 8555, 8.3).
_CHALLENGES = "/.well-known/acme-challenge"

#: What a hundredth of a big disk is worth at the most.
_MOST = 1000 * _MB


def _folders(context: Context) -> tuple[tuple[str, str], ...]:
    """Where a renewal writes, each with what it writes there."""
    return (
        *_of_certbot(context),
        (HOME, "the log of runs"),
        ("/tmp", "temporary files"),  # noqa: S108 - it is looked at, not used
    )


def _of_certbot(context: Context) -> tuple[tuple[str, str], ...]:
    """certbot's own three, --config-dir first."""
    plan = context.plan
    config = places.config_dir(plan) if plan else "/etc/letsencrypt"
    logs = posixpath.dirname(places.log_file(plan)) if plan else "/var/log/letsencrypt"
    work = (places.option(plan, "--work-dir") if plan else "") or "/var/lib/letsencrypt"
    return (config, "certificates"), (logs, "certbot's log"), (work, "certbot's working files")


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
    if _is_short(space.total, space.free, _NEEDED) or _is_short(
        space.inodes, space.free_inodes, _NEEDED_INODES
    ):
        return _ROOM.found(subject, f"{left}: no room for {', '.join(uses)}", evidence)
    # A hundredth of a disk of terabytes is room enough for years, a tenth of a small one as well.
    wanted = max(_WANTED, min(space.total // 100, _MOST))
    if _is_short(space.total, space.free, min(wanted, space.total // 10)) or _is_short(
        space.inodes, space.free_inodes, min(_WANTED_INODES, space.inodes // 10)
    ):
        return _LOW.found(subject, f"{left} for {', '.join(uses)}", evidence)
    return _ROOM.ok(subject, left)


def _is_short(total: int, free: int, least: int) -> bool:
    """Whether less than ``least`` is left. Some file systems count nothing: 0 of 0."""
    return total > 0 and free < least


def _left(space: Space) -> str:
    few = space.inodes > 0 and space.free_inodes < _WANTED_INODES
    inodes = f", {space.free_inodes} inodes" if few else ""
    size = space.free
    shown = f"{size / 1000 / _MB:.1f} GB" if size >= 1000 * _MB else f"{size / _MB:.1f} MB"
    return f"{shown}{inodes} left"


def _writable(context: Context) -> Iterator[Finding]:
    """What certbot writes to; what ``mount.read-only`` says of certtui's own is not said twice."""
    try:
        home = options(context.host, HOME)
        mounted = [(*one, options(context.host, one[0])) for one in _written(context)]
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
    folders = ", ".join(folder for folder, _, found in mounted[:3] if found is not None)
    if problems:
        yield from problems
    elif folders:
        yield _READ_ONLY.ok(folders, "not mounted read-only")
    else:
        yield _READ_ONLY.skip("", f"{TABLE} does not tell")


def _written(context: Context) -> tuple[tuple[str, str], ...]:
    """certbot's folders, and of the webroots those that may lie on a read-only file system."""
    mounts = read_only(context.host)
    roots = {root for one in context.facts.lineages if one.autorenew for root in one.webroots}
    found = []
    for root in sorted(roots) if mounts else ():
        real = context.host.resolve(f"{root}{_CHALLENGES}") or context.host.resolve(root)
        if real and any(f"{real}/".startswith(f"{where.rstrip('/')}/") for where in mounts):
            found.append((real, "answers to the CA"))
    return (*_of_certbot(context), *found)


def _shape(context: Context) -> Iterator[Finding]:
    """That of --config-dir is looked at by what reads it."""
    folders = [folder for folder, _ in _of_certbot(context)[1:]]
    problems = [finding for folder in folders for finding in _no_folder(context.host, folder)]
    yield from problems or [_NOT_A_FOLDER.ok(", ".join(folders), "each a folder, or not yet made")]


def _no_folder(host: Host, path: str) -> Iterator[Finding]:
    found = host.info(path)
    if found is None:
        return
    real = host.resolve(path)
    there = host.info(real) if real else None
    if there is not None and there.kind == "directory":
        return
    what = f"is a {there.kind}" if there else f"is a link to {host.link(path)}, which is not there"
    aside = f"{path}.aside"
    fix = Fix(("mv", path, aside)) if host.info(aside) is None else None
    message = f"{what}: certbot needs a folder there, and makes one where nothing is"
    yield _NOT_A_FOLDER.found(path, message, f"{path}: {found.kind}", fix)


CHECKS = (
    Check((_ROOM, _LOW), _room),
    Check((_READ_ONLY,), _writable),
    Check((_NOT_A_FOLDER,), _shape),
)
