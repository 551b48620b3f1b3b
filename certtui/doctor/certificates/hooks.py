"""Hooks that certbot passes over in silence, or that cannot be started."""

from __future__ import annotations

import re
from collections.abc import Iterator

from certtui.doctor.check import Check, Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.facts import Facts
from certtui.host.interface import Host
from certtui.host.mounts import TABLE, options, remount
from certtui.render import places

_RUN = Kind(
    "hooks.run",
    Status.FAIL,
    "certbot runs every hook that is in its folders",
    "A hook that is not run leaves the old certificate in the server's memory, and certbot calls "
    "the renewal a success.",
)
_NOT_EXECUTABLE = Kind(
    "hooks.not-executable",
    Status.FAIL,
    "hooks are executable",
    "certbot lists the executables of a folder and says nothing of other files "
    "(certbot/_internal/hooks.py, list_hooks).",
)
_TILDE = Kind(
    "hooks.tilde",
    Status.WARN,
    "no hook's name ends with ~",
    "certbot takes such a file for an editor's copy and passes it over, since 0.35.",
)
_ELSEWHERE = Kind(
    "hooks.wrong-folder",
    Status.WARN,
    "hooks are in pre, deploy or post of renewal-hooks in certbot's configuration folder",
    "certbot reads these three folders and nothing below them. /var/letsencrypt, which some guides "
    "name, it has never read.",
)
_INTERPRETER = Kind(
    "hooks.interpreter",
    Status.FAIL,
    "the program in the first line of a hook is there",
    "The kernel starts what the line says to the last byte (execve(2)): a file with Windows' line "
    "ends asks for a program whose name ends with a carriage return. The hook ends with 127, and "
    "certbot with 0 (certbot #8528).",
)
_NOEXEC = Kind(
    "hooks.noexec",
    Status.FAIL,
    "programs may be started from the folder of hooks",
    "On a file system mounted noexec no hook is executable (access(2)): certbot passes over all of "
    "them and says nothing.",
)
_NO_FOLDER = Kind(
    "hooks.no-folder",
    Status.FAIL,
    "each folder of hooks is a folder",
    "certbot makes these folders at each start, and ends where another thing has the name "
    "(certbot/_internal/main.py, make_or_verify_needed_dirs).",
)

#: A folder that instructions name and that certbot has never read.
_WRONG = "/var/letsencrypt/renewal-hooks"

_KINDS = ("pre", "deploy", "post")

#: Folders that are meant to be one of the three: as the options are called (--renew-hook is the old
#: name of --deploy-hook), or in capitals.
_MEANT = re.compile(r"(pre|deploy|post|renew(?:al)?)(?:[-_.]?(?:hooks?|d))?", re.IGNORECASE)

#: Names of what is no hook, or was switched off; those of package managers among them.
_OFF = re.compile(
    r"(?:^|/)(?:\.|readme)[^/]*$"
    r"|[.-](?:disabled|off|bak|backup|orig|old|save|sample|example|md|txt|dpkg-\w+|ucf-\w+|rpm\w+)$",
    re.IGNORECASE,
)

#: Bytes of a script's first line; the kernel reads no more (execve(2): 255).
_LINE = 256

#: Bytes of a hook in which the names of what it starts are looked for.
_TEXT = 100_000


def _hooks(context: Context) -> Iterator[Finding]:
    plan = context.plan
    folder = f"{places.config_dir(plan) if plan else '/etc/letsencrypt'}/renewal-hooks"
    ours = {places.deploy_hook(plan), places.post_hook(plan)} if plan else set()
    problems = [
        *_folders(context, folder),
        *(
            finding
            for kind in _KINDS
            for name in context.host.names(f"{folder}/{kind}")
            for finding in _hook(context, f"{folder}/{kind}/{name}", ours)
        ),
        *_misplaced(context.host, folder),
    ]
    problems = [*_mounted(context, folder)] or problems
    yield from problems or [_RUN.ok(folder, "nothing in it is passed over")]


def _folders(context: Context, folder: str) -> Iterator[Finding]:
    """Those of our hooks are looked at by drift."""
    for path in (folder, *(f"{folder}/{kind}" for kind in _KINDS)):
        found = context.host.info(path)
        if found is None or (context.plan is not None and not path.endswith("/pre")):
            continue
        real = context.host.resolve(path)
        there = context.host.info(real) if real else None
        if there is None or there.kind != "directory":
            message = f"is no folder, but a {found.kind}"
            yield _NO_FOLDER.found(path, message, f"{path}: {found.kind}")


def _mounted(context: Context, folder: str) -> Iterator[Finding]:
    if not any(context.host.names(f"{folder}/{kind}") for kind in _KINDS):
        return
    found = options(context.host, folder)
    if found is not None and "noexec" in found[1]:
        where, seen = found
        yield _NOEXEC.found(
            folder,
            f"lies on {where}, which is mounted noexec: certbot runs no hook",
            f"{TABLE}: {where} {','.join(sorted(seen))}",
            Fix(remount(context.host, where, "exec")),
        )


# ---- one hook ------------------------------------------------------------------------------------


def _hook(context: Context, path: str, ours: set[str]) -> Iterator[Finding]:
    """certbot/_internal/hooks.py, ``list_hooks``: executables whose names do not end with ~."""
    host = context.host
    real = host.resolve(path)
    found = host.info(real) if real else None
    if found is not None and found.kind == "directory":
        yield from _below(host, path)
    elif path.endswith("~"):
        # Beside the file it is a copy of it is an editor's, and to be passed over.
        if host.info(path.rstrip("~")) is None:
            message = "its name ends with ~: certbot passes it over"
            yield _TILDE.found(path, message, path, Fix(("mv", path, path.rstrip("~"))))
    elif found is None or not found.mode & 0o111:
        if path not in ours and _OFF.search(path):
            return
        mode = f"mode {found.mode:04o}" if found else "a link that leads nowhere"
        mine = path in ours
        fix = Fix(("chmod", "0700" if mine else "u+x", path), mine) if found else None
        yield _NOT_EXECUTABLE.found(
            path,
            "not executable: certbot passes it over",
            f"{path}: {mode}",
            fix,
            status=None if mine else Status.WARN,
        )
    elif path not in ours:  # of an edited file of ours drift tells
        yield from _interpreter(context.facts, host, path)


def _interpreter(facts: Facts, host: Host, path: str) -> Iterator[Finding]:
    """Whether the kernel finds what a script's first line names; without one, sh runs it."""
    try:
        content = host.read(path) or b""
    except PermissionError:
        if facts.system.is_root:
            raise
        return  # a hook is root's own, and its mode is nobody's business
    first = content[:_LINE].partition(b"\n")[0]
    if not first.startswith(b"#!"):
        return
    line = first[2:].decode("utf-8", "replace")
    if line.endswith("\r"):
        fix = Fix(("sed", "-i", r"s/\r$//", path))
        message = "its lines end as Windows' do: it cannot be started"
        yield _INTERPRETER.found(path, message, f"{path}:1: {first!r}"[:200], fix)
        return
    words = line.split()
    if not words:
        return
    missing = "" if host.resolve(words[0]) else words[0]
    if not missing and words[0].endswith("/env"):
        # env(1): options first, "-S" with the rest, and settings of variables.
        rest = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        missing = rest[0] if rest and not _is_program(host, rest[0]) else ""
    if missing:
        message = f"it is to be run by {missing}, which is not there"
        yield _INTERPRETER.found(path, message, f"{path}:1: {first.decode('utf-8', 'replace')}")


def _is_program(host: Host, name: str) -> bool:
    return host.resolve(name) is not None if "/" in name else host.which(name) is not None


# ---- in the wrong place --------------------------------------------------------------------------


def _below(host: Host, folder: str) -> Iterator[Finding]:
    """Executables in a folder of a hook folder: nothing looks there."""
    above = folder.rpartition("/")[0]
    for name in host.names(folder):
        if _is_executable(host, f"{folder}/{name}"):
            yield _misplaced_hook(host, f"{folder}/{name}", f"{above}/{name}")


def _misplaced(host: Host, folder: str) -> Iterator[Finding]:
    for name in host.names(folder):
        path = f"{folder}/{name}"
        if name not in _KINDS and _is_executable(host, path):
            message = f"certbot reads no hook there: move it to {folder}/deploy, pre or post"
            yield _ELSEWHERE.found(path, message, path)
        elif name not in _KINDS and not _OFF.search(path):
            yield from _in_folder(host, folder, name)
    for kind in _KINDS:
        for name in host.names(f"{_WRONG}/{kind}"):
            path = f"{_WRONG}/{kind}/{name}"
            yield _misplaced_hook(host, path, f"{folder}/{kind}/{name}")


def _in_folder(host: Host, folder: str, name: str) -> Iterator[Finding]:
    """Executables in another folder beside the three, unless a hook starts them."""
    inside = [file for file in host.names(f"{folder}/{name}") if not _OFF.search(file)]
    found = [file for file in inside if _is_executable(host, f"{folder}/{name}/{file}")]
    started = _hooks_say(host, folder) if found else ""
    meant = _MEANT.fullmatch(name)
    for file in found:
        path = f"{folder}/{name}/{file}"
        if f"{name}/{file}" in started:
            continue
        if meant:
            kind = meant[1].lower()
            right = kind if kind in _KINDS else "deploy"
            yield _misplaced_hook(host, path, f"{folder}/{right}/{file}")
        else:
            message = f"certbot reads no hook there: move it to {folder}/deploy, pre or post"
            yield _ELSEWHERE.found(path, message, path)


def _hooks_say(host: Host, folder: str) -> str:
    """The text of all hooks that certbot reads, and where those that are links lead."""
    said = []
    for path in (
        f"{folder}/{kind}/{name}" for kind in _KINDS for name in host.names(f"{folder}/{kind}")
    ):
        said.append(host.link(path) or "")
        try:
            said.append((host.read(path, _TEXT) or b"").decode("utf-8", "replace"))
        except PermissionError:
            continue  # a hook is root's own; another user hears of more than there is
    return "\n".join(said)


def _misplaced_hook(host: Host, path: str, right: str) -> Finding:
    taken = host.info(right) is not None
    message = f"certbot reads no hook there, but {right}{', which there is too' if taken else ''}"
    return _ELSEWHERE.found(path, message, path, None if taken else Fix(("mv", path, right)))


def _is_executable(host: Host, path: str) -> bool:
    real = host.resolve(path)
    found = host.info(real) if real else None
    executable = found is not None and found.kind == "file" and bool(found.mode & 0o111)
    return executable and not re.search(r"~$|/\.", path)


CHECKS = (
    Check(
        (_RUN, _NOT_EXECUTABLE, _TILDE, _ELSEWHERE, _INTERPRETER, _NOEXEC, _NO_FOLDER),
        _hooks,
    ),
)
