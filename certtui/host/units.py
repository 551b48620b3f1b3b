"""What systemd knows of units, by as few ``systemctl show`` as will do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from certtui.host.interface import Host

Properties = Mapping[str, str]

_ASKED = (
    "Id,Names,LoadState,UnitFileState,ActiveState,SubState,FragmentPath,Unit,"
    "NextElapseUSecRealtime,LastTriggerUSec,ExecStart,Result,MainPID"
)


def show(host: Host, patterns: Sequence[str]) -> dict[str, Properties]:
    """The properties of units by their names, also those of aliases; unknown ones are left out.

    A pattern such as ``*.timer`` finds loaded units only (systemctl(1)). Raises
    :class:`ConnectionError` with systemctl's words when systemd cannot be asked.
    """
    if not patterns:
        return {}
    # Times are printed in the zone of the one who asks, and --timestamp=unix came with 251 only.
    answer = host.run(["systemctl", "show", "-p", _ASKED, "--", *patterns], env={"TZ": "UTC"})
    if not answer.ok and not answer.out.strip():
        raise ConnectionError(answer.err.strip() or f"systemctl ended with {answer.code}")
    found: dict[str, Properties] = {}
    for unit in blocks(answer.out):
        if unit.get("LoadState", "not-found") != "not-found" and "Id" in unit:
            for name in {unit["Id"], *unit.get("Names", "").split()}:
                found[name] = unit
    return found


def blocks(text: str) -> list[dict[str, str]]:
    """What ``systemctl show`` prints of several units: the properties of each."""
    return [_properties(block) for block in text.split("\n\n")]


def _properties(block: str) -> dict[str, str]:
    """NAME=VALUE lines; a name that comes again, as ExecStart may, gets a line more."""
    found: dict[str, str] = {}
    for line in block.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            found[name] = f"{found[name]}\n{value}" if name in found else value
    return found


def moment(text: str) -> datetime | None:
    """A time as systemctl prints it in UTC ("Mon 2026-03-02 04:17:00 UTC"); None for "n/a"."""
    try:
        # The day's name is left to itself: strptime would want it in the caller's language.
        parsed = datetime.strptime(text.partition(" ")[2], "%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return None
    return parsed.replace(tzinfo=timezone.utc)


#: Units of a time span as systemctl prints it (systemd.time(7)), in seconds.
_SPANS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "month": 2629800.0,
    "y": 31557600.0,
}


def seconds(text: str) -> float | None:
    """A time span as systemctl prints it ("1h 30min"), or plain seconds; None for anything else.

    "infinity" is infinite.
    """
    if text == "infinity":
        return float("inf")
    words = [re.fullmatch(r"([0-9.]+)([a-z]*)", word) for word in text.split()]
    found = [(word[1], word[2] or "s") for word in words if word and (word[2] or "s") in _SPANS]
    if not found or len(found) != len(words):
        return None
    return sum(float(number) * _SPANS[unit] for number, unit in found)


#: Results (systemd.service(5), $SERVICE_RESULT) that say nothing of the next start.
_FROM_OUTSIDE = ("signal", "core-dump", "oom-kill", "watchdog")


def is_active(unit: Properties) -> bool:
    """Whether a unit runs or is about to; one that only waits to be tried again is not."""
    state = unit.get("ActiveState")
    return state in ("active", "activating", "reloading") and not _is_between_tries(unit)


def _is_between_tries(unit: Properties) -> bool:
    """systemd.service(5), Restart=: "auto-restart", since systemd 254 "auto-restart-queued" too."""
    return unit.get("SubState", "").startswith("auto-restart")


def cannot_start(unit: Properties) -> str:
    """How systemd names the state of a service whose last start failed by itself; else "".

    One that a signal has ended (signal(7), the kernel's lack of memory) may well start again.
    """
    result = unit.get("Result", "")
    if _is_between_tries(unit):
        return f"activating, {unit['SubState']}, {result}".rstrip(", ")
    if unit.get("ActiveState") == "failed" and result not in _FROM_OUTSIDE:
        return f"failed, {result}".rstrip(", ")
    return ""


def is_waiting(unit: Properties) -> bool:
    """Whether a timer is active and not over for good: one whose times have all passed stays so."""
    return is_active(unit) and unit.get("SubState") != "elapsed"


def is_enabled(unit: Properties) -> bool:
    """Whether a unit comes back after a reboot; "enabled-runtime" is a link below /run only."""
    return unit.get("UnitFileState") in ("enabled", "alias", "static")


def commands(unit: Properties) -> list[str]:
    """The command lines of ExecStart: ``{ path=/x ; argv[]=/x -y ; ...}``, one a line."""
    return re.findall(r"argv\[\]=(.*?) ;", unit.get("ExecStart", ""))
