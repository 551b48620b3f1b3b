"""How a daemon stands, and the command that makes it stand well: cron and atd alike."""

from __future__ import annotations

from certtui.change import services
from certtui.change.packages import install_argv
from certtui.change.provision import unmask_argv
from certtui.doctor.check import Context, Kind
from certtui.doctor.finding import Finding, Fix
from certtui.host.facts import Service


def standing(kind: Kind, context: Context, service: Service) -> Finding:
    """One finding: not installed, not running, gone after a reboot, or well."""
    name = service.unit or service.name
    if not service.installed:
        argv = install_argv(context.facts, service.name)
        return kind.found(name, "not installed", fix=Fix(argv) if argv else None)
    seen = f"{name}: {_word(service.running, 'running')}, {_word(service.enabled, 'enabled')}"
    if service.masked:
        message = (
            f"is {service.masked}: it cannot be started or enabled; once it is unmasked, "
            f"systemctl enable --now {name}"
        )
        return kind.found(name, message, f"{seen}, {service.masked}", Fix(unmask_argv(service)))
    if service.halted:
        # Not safe: whoever stopped it may have a reason.
        fix = Fix(("systemctl", "kill", "--signal=CONT", name))
        message = "is stopped by a signal: it starts nothing"
        return kind.found(name, message, f"{seen}: its process is in state T", fix)
    if service.broken:
        # To start it once more would end as the last start did.
        message = f"does not run, and its last start failed: systemctl status {name} says why"
        return kind.found(name, message, f"{seen}; {service.broken}; journalctl -u {name}")
    if not service.running:
        return kind.found(name, "does not run: it starts nothing", seen, _start(context, service))
    if not service.enabled:
        message = "runs, but does not start at boot"
        return kind.found(name, message, seen, _start(context, service))
    return kind.ok(name, "runs, and starts at boot" if service.unit else "runs")


def _word(is_so: bool, word: str) -> str:
    return word if is_so else f"not {word}"


def _start(context: Context, service: Service) -> Fix:
    return Fix(services.start(context.host, service), True)
