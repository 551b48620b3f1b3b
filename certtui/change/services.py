"""How daemons are started: by systemd, OpenRC (rc-service(8), rc-update(8)) or service(8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from certtui.change.units import Enablement
from certtui.host.facts import Service
from certtui.host.interface import Host

Argv = tuple[str, ...]

#: The scripts in /etc/init.d that a daemon may have, the likeliest first.
_SCRIPTS = {"cron": ("cron", "cronie", "crond", "fcron"), "atd": ("atd",)}
_RUNLEVEL = "/etc/runlevels/default"


def script(host: Host, daemon: str, usual: str) -> str:
    """The name of a daemon's script; ``usual`` is what it will be called where there is none."""
    found = (name for name in _SCRIPTS[daemon] if host.info(f"/etc/init.d/{name}") is not None)
    return next(found, usual)


def start(host: Host, service: Service) -> Argv:
    """The command that starts a daemon that is installed; with systemd also after a reboot."""
    if service.unit:
        return ("systemctl", "enable", "--now", service.unit)
    return _to(host, script(host, service.name, _usual(host, service.name)), "start")


def restart(host: Host, service: Service) -> Argv:
    """The command that ends a daemon, if it runs, and starts it anew."""
    if service.unit:
        return ("systemctl", "restart", service.unit)
    return _to(host, script(host, service.name, _usual(host, service.name)), "restart")


def _usual(host: Host, daemon: str) -> str:
    """What a script is called where none is seen: cron's is crond, but in the Debian family."""
    return "crond" if daemon == "cron" and host.which("crond") else daemon


def query(host: Host, names: Iterable[str]) -> dict[str, Enablement]:
    """How services stand. Without OpenRC nobody can tell whether one comes back after a boot."""
    return {
        name: Enablement("enabled" if _is_added(host, name) else "", _runs(host, name))
        for name in names
    }


def switch_on(host: Host, name: str) -> list[Argv]:
    """The commands that start a service; with OpenRC also after a reboot."""
    commands = [_to(host, name, "start")]
    if _has_openrc(host) and not _is_added(host, name):
        commands.insert(0, ("rc-update", "add", name, "default"))
    return commands


def put_back(host: Host, before: Mapping[str, Enablement]) -> list[Argv]:
    """The commands that bring services to how they stood before."""
    now = query(host, before)
    commands: list[Argv] = []
    for name, then in before.items():
        if then.enabled != now[name].enabled:
            verb = "add" if then.enabled else "del"
            commands.append(("rc-update", verb, name, "default"))
        if then.active != now[name].active:
            commands.append(_to(host, name, "start" if then.active else "stop"))
    return commands


def _runs(host: Host, name: str) -> bool:
    return host.run(_to(host, name, "status")).ok


def _is_added(host: Host, name: str) -> bool:
    return _has_openrc(host) and host.info(f"{_RUNLEVEL}/{name}") is not None


def _to(host: Host, name: str, verb: str) -> Argv:
    return ("rc-service" if _has_openrc(host) else "service", name, verb)


def _has_openrc(host: Host) -> bool:
    return host.which("rc-service") is not None
