"""Our systemd timer: will it elapse, also after a reboot, and how did its service end?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from certtui.doctor.check import Check, Context, no_plan, not_needed, started_by
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.records import history
from certtui.doctor.scheduler import cannotstart, dropins
from certtui.doctor.scheduler.timerkinds import (
    ACTIVE,
    ENABLED,
    EXEC,
    INSTALL,
    KINDS,
    LATE,
    MASKED,
    MISSING,
    NEXT,
    REFUSED,
    RELOAD,
    RESULT,
    TIMER,
)
from certtui.host import units
from certtui.plan.model import Plan
from certtui.render import places, times

#: LoadState of a unit file that is there and no good (systemctl(1)).
_BAD = ("bad-setting", "error")

_ASKED = (
    "Id,LoadState,UnitFileState,ActiveState,SubState,NeedDaemonReload,NextElapseUSecRealtime,"
    f"Result,ExecMainStatus,InactiveEnterTimestamp,FragmentPath,DropInPaths,Unit,ExecStart,{dropins.ASKED}"
)


def _timer(context: Context) -> Iterator[Finding]:
    plan = context.plan
    reason = ""
    if plan is None:
        reason = no_plan(context)
    elif started_by(context) != "systemd":
        reason = not_needed(context)
    elif not context.facts.has_systemd:
        # drift.* and runs.* say what follows from it.
        reason = "systemd is not process 1 here"
    if plan is None or reason:
        yield TIMER.skip("", reason)
        return
    name = f"{plan.files.unit}.timer"
    service = f"{plan.files.unit}.service"
    known = _show(context, name, service)
    found = _worst(
        [
            *_changed(context, known.get(name, {}), known.get(service, {})),
            *_scheduled(context, plan, name, known.get(name, {})),
        ]
    )
    found += _needs_reload([name, service], known)
    found += _starts(context, plan, known.get(name, {}), known.get(service, {}))
    found += _service(context, service, known.get(service, {}))
    yield from found
    if any(item.status is not Status.OK for item in found):
        return
    if known.get(name, {}).get("LoadState") != "loaded":
        yield TIMER.skip(name, "its file is missing")  # drift.missing says it
    else:
        yield TIMER.ok(name, _well(known[name]))


def told(context: Context, path: str, live: bytes) -> bool:
    """Whether a finding of this module tells why a unit file of ours must not be as it is."""
    if context.plan is None or not path.endswith(f"/{context.plan.files.unit}.timer"):
        return False
    if re.search(rb"^WantedBy=", live, re.MULTILINE) or not context.facts.has_systemd:
        return False
    name = f"{context.plan.files.unit}.timer"
    return _show(context, name).get(name, {}).get("UnitFileState") == "static"


def masked(context: Context) -> str:
    """The unit of ours that a link to /dev/null masks, for which nothing can be compared; or ""."""
    if context.plan is None or not context.facts.has_systemd:
        return ""
    names = (f"{context.plan.files.unit}.timer", f"{context.plan.files.unit}.service")
    paths = ((name, f"{places.UNITS}/{name}") for name in names)
    return next((name for name, path in paths if context.host.link(path) == "/dev/null"), "")


def _worst(found: list[Finding]) -> list[Finding]:
    """Of several findings about the same times, the one that says most."""
    ids = {item.id for item in found}
    less = set()
    if dropins.DELAY.id in ids:
        less.add(LATE.id)
    if ids & {LATE.id, NEXT.id}:
        less.add(dropins.TIMES.id)
    return [item for item in found if item.id not in less]


def _changed(
    context: Context, timer: Mapping[str, str], service: Mapping[str, str]
) -> Iterator[Finding]:
    """What drop-ins change about units that systemd takes."""
    if timer.get("LoadState") == "loaded":
        yield from dropins.of_timer(context, timer)
    if service.get("LoadState") == "loaded":
        yield from dropins.of_service(context, service)
        yield from cannotstart.findings(context, service)


def _show(context: Context, *names: str) -> dict[str, Mapping[str, str]]:
    answer = context.host.run(["systemctl", "show", "-p", _ASKED, "--", *names], env={"TZ": "UTC"})
    return {unit["Id"]: unit for unit in units.blocks(answer.out) if "Id" in unit}


def _scheduled(
    context: Context, plan: Plan, name: str, unit: Mapping[str, str]
) -> Iterator[Finding]:
    seen = _seen(name, unit)
    state = unit.get("UnitFileState", "")
    if _is_masked(unit):
        yield _masked(name, unit)
        return
    if unit.get("LoadState") in _BAD:
        mend = dropins.revert(unit) if unit.get("DropInPaths") else context.apply(force=True)
        message = f"systemd refuses it ({unit['LoadState']}): it is gone after a reboot"
        yield REFUSED.found(name, message, f"{seen}; systemctl status {name} says why", mend)
        return
    if unit.get("LoadState") != "loaded":
        if context.is_root and context.host.info(f"{places.UNITS}/{name}") is None:
            return  # drift.missing says it
        yield MISSING.found(name, "systemd does not know it", seen, context.apply())
        return
    active = units.is_active(unit)
    enable = Fix(("systemctl", "enable", "--now", name), True)
    if state == "static":
        mend = context.apply(force=True)
        yield INSTALL.found(name, "has no [Install]: gone after a reboot", seen, mend)
    elif state != "enabled":  # "enabled-runtime" is a link in /run
        yield ENABLED.found(name, "not enabled: gone after a reboot", seen, enable)
    if not active:
        start = Fix(("systemctl", "start", name), True)
        mend = start if state in ("enabled", "static") else enable
        yield ACTIVE.found(name, "not active: it starts nothing", seen, mend)
    else:
        yield from _next(context, plan, name, unit)


def _next(context: Context, plan: Plan, name: str, unit: Mapping[str, str]) -> Iterator[Finding]:
    """While the service runs there is no next elapse."""
    changed = bool(unit.get("DropInPaths"))
    mend = dropins.revert(unit) if changed else Fix(("systemctl", "restart", name), True)
    following = units.moment(unit.get("NextElapseUSecRealtime", ""))
    if following is None:
        if unit.get("SubState") != "running":
            yield NEXT.found(name, "active, but will never elapse", _seen(name, unit), mend)
        return
    if following > _latest(context, plan):
        yield LATE.found(
            name,
            f"elapses at {following:%Y-%m-%d %H:%M} UTC, too late for "
            f"{plan.schedule.runs} runs a day",
            _seen(name, unit),
            mend,
        )


def _latest(context: Context, plan: Plan) -> datetime:
    """The end of the window after next: the delay of the run at hand may have been rolled past.

    The script of an at backend is started at fixed times without a delay.
    """
    if places.at_script(plan):
        apart = -(-times.DAY // len(times.daily_minutes(plan, context.facts)))
        return context.now + timedelta(minutes=apart + 1)
    runs = times.next_runs(plan, context.facts, context.now, 2)
    return runs[-1].latest + timedelta(minutes=1)


def _is_masked(unit: Mapping[str, str]) -> bool:
    state = unit.get("UnitFileState", "")
    return unit.get("LoadState") == "masked" or state.startswith("masked")


def _masked(name: str, unit: Mapping[str, str]) -> Finding:
    fix = Fix(("systemctl", "unmask", name))
    return MASKED.found(name, "masked: it never starts", _seen(name, unit), fix)


def _starts(
    context: Context, plan: Plan, timer: Mapping[str, str], service: Mapping[str, str]
) -> Iterator[Finding]:
    """A drop-in may make the timer start another unit, or the service another program."""
    name = f"{plan.files.unit}.service"
    if _is_masked(service):
        yield _masked(name, service)
        return
    started = timer.get("Unit") or name  # one that is masked or gone has none
    if started != name:
        message = f"starts {started}, not {name}"
        yield EXEC.found(
            f"{plan.files.unit}.timer", message, _seen_exec(timer), dropins.revert(timer)
        )
        return
    script = places.at_script(plan) or places.renew_script(plan)
    if script in units.commands(service) or service.get("LoadState") == "not-found":
        return
    # An edited unit file is what drift.content says, where it can look.
    if context.is_root and not service.get("DropInPaths"):
        return
    message = f"does not start {script}"
    yield EXEC.found(name, message, _seen_exec(service), dropins.revert(service))


def _seen_exec(unit: Mapping[str, str]) -> str:
    started = unit.get("Unit") or " ; ".join(units.commands(unit)) or "nothing"
    return f"{unit.get('Id', '')}: starts {started}; drop-ins: {unit.get('DropInPaths') or 'none'}"


def _needs_reload(names: list[str], known: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    # A unit that systemd refuses is never up to date.
    stale = [
        name
        for name in names
        if (unit := known.get(name, {})).get("NeedDaemonReload") == "yes"
        and unit.get("LoadState") not in _BAD
    ]
    if stale:
        yield RELOAD.found(
            stale[0],
            "changed on disk since systemd read it",
            f"NeedDaemonReload=yes: {', '.join(stale)}",
            Fix(("systemctl", "daemon-reload"), True),
        )


def _service(context: Context, service: str, unit: Mapping[str, str]) -> Iterator[Finding]:
    """Only what the log of runs does not tell: a script that did not start leaves no line there."""
    result = unit.get("Result", "success")
    if result == "success":
        return
    try:
        last = history.read(context.host).last
    except PermissionError:
        last = None
    if last is not None and last.result not in ("ok", "locked"):
        return
    # When it failed; ExecMainExitTimestamp= would be an earlier run's where ExecStartPre= failed.
    failed = units.moment(unit.get("InactiveEnterTimestamp", ""))
    if last is not None and failed is not None and last.time > failed:
        message = f"failed ({result}), but a later run ended well: systemctl reset-failed {service}"
        yield RESULT.ok(service, message)
        return
    yield RESULT.found(
        service,
        f"its last run ended with {result}",
        f"{service}: Result={result} ExecMainStatus={unit.get('ExecMainStatus', '')}; "
        f"journalctl -u {service}",
        Fix(("systemctl", "start", service)),
    )


def _seen(name: str, unit: Mapping[str, str]) -> str:
    asked = ("LoadState", "UnitFileState", "ActiveState", "NextElapseUSecRealtime", "DropInPaths")
    return f"systemctl show {name}: " + " ".join(
        f"{key}={unit[key]}" for key in asked if unit.get(key)
    )


def _well(unit: Mapping[str, str]) -> str:
    following = units.moment(unit.get("NextElapseUSecRealtime", ""))
    when = f"elapses next at {following:%Y-%m-%d %H:%M} UTC" if following else "runs now"
    return f"enabled and active; {when}"


CHECKS = (Check((*KINDS, *dropins.KINDS, cannotstart.CANNOT), _timer),)
