"""The daemons that fire jobs, cron and atd: installed, enabled, running."""

from __future__ import annotations

from collections.abc import Mapping

from certtui.host.facts import Service
from certtui.host.interface import Host
from certtui.host.system import process_names, read_text
from certtui.host.units import Properties, cannot_start, is_active, is_enabled

#: name -> (its units, its programs, its process names) across distributions.
_DAEMONS = {
    "cron": (
        ("cron.service", "crond.service", "cronie.service", "fcron.service"),
        ("cron", "crond", "fcron"),
    ),
    "atd": (("atd.service",), ("atd",)),
}

#: What to ask systemd about.
UNITS = tuple(unit for units, _ in _DAEMONS.values() for unit in units)


def daemon(host: Host, name: str, units: Mapping[str, Properties] | None) -> Service:
    """``name`` is cron or atd; ``units`` is None on a host without systemd."""
    candidates, programs = _DAEMONS[name]
    for unit in candidates:
        if units and unit in units:
            known = units[unit]
            state = known.get("UnitFileState", "")
            # A "generated" one is an init script's, of which systemd does not know more.
            enabled = is_enabled(known) or state in ("generated", "indirect")
            masked = state if state.startswith("masked") else ""
            halted = _is_halted(host, known.get("MainPID", "0"))
            running, broken = is_active(known) and not halted, cannot_start(known)
            return Service(name, True, known["Id"], enabled, running, masked, broken, halted)
    installed = [program for program in programs if host.which(program)]
    if not installed or units is not None:
        return Service(name, bool(installed))
    running = bool(set(programs) & process_names(host))
    # Without systemd there are too many ways to be enabled to know; what runs was started.
    return Service(name, True, enabled=running, running=running)


def _is_halted(host: Host, pid: str) -> bool:
    """Whether a signal has stopped a process (proc(5), stat: state T)."""
    state = read_text(host, f"/proc/{pid}/stat").rpartition(")")[2].split()
    return state[:1] == ["T"]
