"""What a drop-in changes about our timer and its service: when it runs, and whether.

``systemctl edit`` is how an administrator changes a unit, and what it leaves is theirs. So nothing
is said of a drop-in that only adds to ours (niceness, logging, ``OnFailure=``): what counts is what
systemd makes of it all. An edited unit file is for drift.content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from certtui.doctor.check import Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host import units

TIMES = Kind(
    "timer.other-times",
    Status.WARN,
    "every time of the plan is one of the timer's",
    "The runs that the plan promises, and that status and doctor count on, do not happen; fewer "
    "tries are left before a certificate expires.",
)
DELAY = Kind(
    "timer.random-delay",
    Status.WARN,
    "no longer random delay than the plan's",
    "systemd rolls the delay anew at each daemon-reload (systemd.timer(5), RandomizedDelaySec): "
    "with half a day of it the gap between two runs may come to a day.",
)
_PERSISTENT = Kind(
    "timer.not-persistent",
    Status.WARN,
    "Persistent=true: a run that was missed is made up for",
    "A host that is off, or asleep, at the times of the timer never renews (systemd.timer(5)).",
)
_CONDITION = Kind(
    "timer.condition",
    Status.FAIL,
    "the conditions of the units hold",
    "A unit whose condition fails is skipped, and that counts as a success: no run, no line in our "
    "log, no mail (systemd.unit(5), Conditions and Asserts).",
)
_BEFORE = Kind(
    "timer.exec-before",
    Status.WARN,
    "no other command decides whether our script is started",
    "Where an ExecStartPre= fails, or an ExecCondition= says no, the script is not started and can "
    "mail nobody; after ExecCondition= the run even counts as a success (systemd.service(5)).",
)
_LIMIT = Kind(
    "timer.time-limit",
    Status.WARN,
    "the service has the time that a run may take",
    "systemd ends a run that takes longer in the middle of a renewal or of a reload, before the "
    "script can tell anybody.",
)

KINDS = (TIMES, DELAY, _PERSISTENT, _CONDITION, _BEFORE, _LIMIT)

ASKED = "TimersCalendar,RandomizedDelayUSec,Persistent,TimeoutStartUSec,ExecStartPre,ExecCondition"

_SETTING = re.compile(r"^\s*((?:Condition|Assert)\w+)\s*=", re.MULTILINE)


def of_timer(context: Context, unit: Mapping[str, str]) -> Iterator[Finding]:
    """What the drop-ins of the timer do to it; nothing without any."""
    ours = _text(context, ".timer")
    if not unit.get("DropInPaths") or ours is None:
        return
    name, mend = unit["Id"], revert(unit)
    wanted = _values(ours, "OnCalendar")
    there = re.findall(r"OnCalendar=(.*?) ;", unit.get("TimersCalendar", ""))
    missing = [one for one in wanted if one not in there]
    if missing and there:
        message = f"{len(missing)} of the plan's {len(wanted)} times are not in it"
        seen = f"{_seen(unit)}\nhas: {', '.join(there)}\nlacks: {', '.join(missing)}"
        yield TIMES.found(name, message, seen, mend)
    planned = units.seconds(next(iter(_values(ours, "RandomizedDelaySec")), "0"))
    delay = units.seconds(unit.get("RandomizedDelayUSec", "0"))
    if delay is not None and planned is not None and delay > planned:
        message = f"waits up to {unit['RandomizedDelayUSec']} at random, not {planned:.0f} s"
        yield DELAY.found(name, message, _seen(unit), mend)
    if unit.get("Persistent") == "no":
        message = "does not make up for a run that was missed (Persistent=no)"
        yield _PERSISTENT.found(name, message, _seen(unit), mend)
    yield from _conditions(context, unit)


def of_service(context: Context, unit: Mapping[str, str]) -> Iterator[Finding]:
    """The same for the service."""
    ours = _text(context, ".service")
    if not unit.get("DropInPaths") or ours is None:
        return
    name, mend = unit["Id"], revert(unit)
    for setting in ("ExecCondition", "ExecStartPre"):
        # One whose failure is ignored ("-") decides nothing.
        value = unit.get(setting, "")
        if "ignore_errors=no" in value:
            command = " ; ".join(re.findall(r"argv\[\]=(.*?) ; ignore_errors=no", value))
            message = f"{setting}= decides whether our script is started: {command}"
            yield _BEFORE.found(name, message, _seen(unit), mend)
    planned = units.seconds(next(iter(_values(ours, "TimeoutStartSec")), ""))
    limit = units.seconds(unit.get("TimeoutStartUSec", ""))
    if limit is not None and planned is not None and limit < planned:
        message = f"is ended after {unit['TimeoutStartUSec']}; a run may take {planned:.0f} s"
        yield _LIMIT.found(name, message, _seen(unit), mend)
    yield from _conditions(context, unit)


def _conditions(context: Context, unit: Mapping[str, str]) -> Iterator[Finding]:
    """systemd evaluates them itself (systemd-analyze(1), "condition", from version 250)."""
    texts = (context.host.read(path) or b"" for path in unit["DropInPaths"].split())
    if not any(_SETTING.search(text.decode("utf-8", "replace")) for text in texts):
        return
    argv = ["systemd-analyze", "condition", f"--unit={unit['Id']}"]
    answer = context.host.run(argv)
    failed = re.findall(rf"^{re.escape(unit['Id'])}: (.+) failed\.$", answer.text, re.MULTILINE)
    if not answer.ok and failed:
        message = f"is not started: {failed[0]} does not hold"
        seen = f"{' '.join(argv)}: exit code {answer.code}\n{answer.text}"
        yield _CONDITION.found(unit["Id"], message, seen, revert(unit))


def _text(context: Context, suffix: str) -> str | None:
    """Our unit file as the plan says it must be; None where that cannot be told."""
    artifacts = context.rendered.artifacts if context.rendered else ()
    found = (item.content for item in artifacts if item.path.endswith(suffix))
    return next((content.decode("utf-8") for content in found), None)


def _values(text: str, setting: str) -> list[str]:
    return re.findall(rf"^{setting}=(.*)$", text, re.MULTILINE)


def _seen(unit: Mapping[str, str]) -> str:
    return f"{unit['Id']}: drop-ins: {unit['DropInPaths']}"


def revert(unit: Mapping[str, str]) -> Fix | None:
    """Takes every drop-in of a unit away, which is why nobody does so unasked (systemctl(1)).

    None where that would not help: those of all units of a kind, and a vendor's, stay.
    """
    name = unit.get("Id", "")
    own = (f"/etc/systemd/system/{name}.d/", f"/run/systemd/system/{name}.d/")
    if any(path.startswith(own) for path in unit.get("DropInPaths", "").split()):
        return Fix(("systemctl", "revert", name))
    return None
