"""The file systems that the scripts and their notes lie on: may they be started, and written?"""

from __future__ import annotations

from collections.abc import Iterator

from certtui.change.store import HOME
from certtui.doctor.check import Check, Context, Kind, no_plan
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.mounts import TABLE, options, remount
from certtui.plan.fields import defaults

_NOEXEC = Kind(
    "mount.noexec",
    Status.FAIL,
    "programs may be started from the scripts' folder",
    'Whatever starts a script there gets "Permission denied" (mount(8), noexec): no run, no line '
    "in the log of runs, no mail of ours.",
)
_READ_ONLY = Kind(
    "mount.read-only",
    Status.FAIL,
    "certtui's own folder can be written",
    "Runs cannot be noted there, nor which certificates still have to be loaded: a failed reload "
    "is not tried again.",
)


def _scripts(context: Context) -> Iterator[Finding]:
    if context.plan is None:
        yield _NOEXEC.skip(defaults()["files.scripts"], no_plan(context))
        return
    flaw = "which is mounted noexec: no script in it starts"
    well = "programs may be started from it"
    yield _mounted(context, _NOEXEC, context.plan.files.scripts, ("noexec", "exec"), flaw, well)


def _state(context: Context) -> Iterator[Finding]:
    if context.plan is None:
        yield _READ_ONLY.skip(HOME, no_plan(context))
        return
    flaw = "which is mounted read-only: no run can be noted"
    yield _mounted(context, _READ_ONLY, HOME, ("ro", "rw"), flaw, "is not mounted read-only")


def _mounted(
    context: Context, kind: Kind, folder: str, option: tuple[str, str], flaw: str, well: str
) -> Finding:
    """``option`` is the mount option that must not be, and the one that mends it."""
    found = options(context.host, folder)
    if found is None:
        return kind.skip(folder, f"{TABLE} does not tell")
    where, seen = found
    bad, good = option
    if bad not in seen:
        return kind.ok(folder, well)
    fix = Fix(remount(context.host, where, good))
    evidence = f"{TABLE}: {where} {','.join(sorted(seen))}"
    return kind.found(folder, f"lies on {where}, {flaw}", evidence, fix)


CHECKS = (Check((_NOEXEC,), _scripts), Check((_READ_ONLY,), _state))
