"""Hooks that certbot passes over in silence."""

from __future__ import annotations

from collections.abc import Iterator

from certtui.doctor.check import Check, Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.render import places

_RUN = Kind("hooks.run", Status.FAIL, "certbot runs every hook that is in its folders")
_NOT_EXECUTABLE = Kind("hooks.not-executable", Status.FAIL, "hooks are executable")
_TILDE = Kind("hooks.tilde", Status.WARN, "no hook's name ends with ~")
_ELSEWHERE = Kind("hooks.wrong-folder", Status.WARN, "hooks are in certbot's configuration folder")

#: A folder that instructions name and that certbot has never read.
_WRONG = "/var/letsencrypt/renewal-hooks"


def _hooks(context: Context) -> Iterator[Finding]:
    plan = context.plan
    folder = f"{places.config_dir(plan) if plan else '/etc/letsencrypt'}/renewal-hooks"
    ours = {places.deploy_hook(plan), places.post_hook(plan)} if plan else set()
    problems = [
        finding
        for kind in ("pre", "deploy", "post")
        for name in context.host.names(f"{folder}/{kind}")
        for finding in _hook(context, f"{folder}/{kind}/{name}", ours)
    ]
    if context.host.info(_WRONG):
        problems.append(_ELSEWHERE.found(_WRONG, f"certbot reads hooks from {folder} only"))
    yield from problems or [_RUN.ok(folder, "nothing in it is passed over")]


def _hook(context: Context, path: str, ours: set[str]) -> Iterator[Finding]:
    """certbot/_internal/hooks.py, ``list_hooks``: executables whose names do not end with ~."""
    real = context.host.resolve(path)
    found = context.host.info(real) if real else None
    if found is not None and found.kind == "directory":
        return
    if path.endswith("~"):
        yield _TILDE.found(path, "its name ends with ~: certbot passes it over")
    elif found is None or not found.mode & 0o111:
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


CHECKS = (Check((_RUN, _NOT_EXECUTABLE, _TILDE, _ELSEWHERE), _hooks),)
