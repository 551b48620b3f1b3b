"""The file systems that the scripts and their notes lie on: may they be started, and written?"""

from __future__ import annotations

from collections.abc import Iterator

from certtui.change.store import HOME
from certtui.doctor.check import Check, Context, Kind, no_plan
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.mounts import TABLE, options

_NOEXEC = Kind("mount.noexec", Status.FAIL, "programs may be started from the scripts' folder")
_READ_ONLY = Kind("mount.read-only", Status.FAIL, "certtui's own folder can be written")


def _scripts(context: Context) -> Iterator[Finding]:
    if context.plan is None:
        yield _NOEXEC.skip("", no_plan(context))
        return
    folder = context.plan.files.scripts
    found = options(context.host, folder)
    if found is None:
        yield _NOEXEC.skip(folder, f"{TABLE} does not tell")
    elif "noexec" in found[1]:
        where = found[0]
        message = f"lies on {where}, which is mounted noexec: no script in it starts"
        fix = Fix(("mount", "-o", "remount,exec", where))
        yield _NOEXEC.found(folder, message, _seen(*found), fix)
    else:
        yield _NOEXEC.ok(folder, "programs may be started from it")


def _state(context: Context) -> Iterator[Finding]:
    if context.plan is None:
        yield _READ_ONLY.skip("", no_plan(context))
        return
    found = options(context.host, HOME)
    if found is None:
        yield _READ_ONLY.skip(HOME, f"{TABLE} does not tell")
    elif "ro" in found[1]:
        where = found[0]
        message = f"lies on {where}, which is mounted read-only: no run can be noted"
        fix = Fix(("mount", "-o", "remount,rw", where))
        yield _READ_ONLY.found(HOME, message, _seen(*found), fix)
    else:
        yield _READ_ONLY.ok(HOME, "is not mounted read-only")


def _seen(where: str, seen: frozenset[str]) -> str:
    return f"{TABLE}: {where} {','.join(sorted(seen))}"


CHECKS = (Check((_NOEXEC,), _scripts), Check((_READ_ONLY,), _state))
