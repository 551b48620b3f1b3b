"""Web servers: who listens on 80 and 443, which unit owns it, and those that are stopped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certtui.host.facts import WebServer
from certtui.host.interface import Host
from certtui.host.system import read_text
from certtui.host.units import Properties, is_active

PORTS = (80, 443)

#: program -> (kind, its usual unit)
_KNOWN = {
    "nginx": ("nginx", "nginx.service"),
    "apache2": ("apache", "apache2.service"),
    "httpd": ("apache", "httpd.service"),
}

#: What to ask systemd about.
UNITS = tuple(unit for _, unit in _KNOWN.values())


@dataclass(frozen=True)
class Listener:
    """A process that listens on one of :data:`PORTS`."""

    port: int
    pid: int
    program: str  # its name, as in /proc/PID/comm
    path: str = ""  # of its executable, where that may be read


def listeners() -> tuple[tuple[Listener, ...], tuple[str, ...]]:
    """Who listens on this machine, and a sentence where a port's owner may not be seen."""
    import psutil

    found: dict[tuple[int, str], Listener] = {}
    hidden: set[int] = set()
    for connection in psutil.net_connections("tcp"):
        port = connection.laddr[1] if connection.laddr else 0
        if connection.status != psutil.CONN_LISTEN or port not in PORTS:
            continue
        if connection.pid is None:
            hidden.add(port)
            continue
        try:
            process = psutil.Process(connection.pid)
            program = process.name()
            path = process.exe()
        except psutil.AccessDenied:
            path = ""
        except psutil.NoSuchProcess:
            continue  # it ended between the two looks
        known = found.get((port, program))
        # The master of nginx and Apache has the lowest id; the unit is the same for all.
        if known is None or connection.pid < known.pid:
            found[port, program] = Listener(port, connection.pid, program, path)
    hidden -= {listener.port for listener in found.values()}
    words = tuple(
        f"who listens on port {port} may not be seen by this user: run as root"
        for port in sorted(hidden)
    )
    return tuple(found.values()), words


def webservers(
    host: Host, listening: Sequence[Listener], units: Mapping[str, Properties] | None
) -> tuple[WebServer, ...]:
    """Those that own a port, then known ones that run without one, then stopped ones.

    ``units`` is None on a host without systemd.
    """
    by_program: dict[str, list[Listener]] = {}
    for listener in sorted(listening, key=lambda item: item.port):
        by_program.setdefault(listener.program, []).append(listener)
    servers = [_listening(host, program, found) for program, found in by_program.items()]
    for program, (kind, unit) in _KNOWN.items():
        if program not in by_program:
            servers += _silent(host, program, kind, unit, units)
    return tuple(sorted(servers, key=lambda server: (-len(server.ports), not server.running)))


def _listening(host: Host, program: str, found: Sequence[Listener]) -> WebServer:
    kind = _KNOWN.get(program, ("other", ""))[0]
    ports = tuple(listener.port for listener in found)
    path = found[0].path or host.which(program) or program
    return WebServer(kind, path, _unit_of(host, found[0].pid), True, ports)


def _silent(
    host: Host, program: str, kind: str, unit: str, units: Mapping[str, Properties] | None
) -> list[WebServer]:
    path = host.which(program)
    known = (units or {}).get(unit)
    if path is None:
        return []
    return [WebServer(kind, path, unit if known else "", bool(known and is_active(known)))]


def _unit_of(host: Host, pid: int) -> str:
    """The service in whose control group a process is (cgroups(7)); "" where none is."""
    group = read_text(host, f"/proc/{pid}/cgroup")
    found = re.findall(r"/([^/\n]+\.service)(?=/|$)", group, re.MULTILINE)
    # The innermost unit of the system's own manager; user@1000.service holds a user's units.
    return found[0] if found and not found[0].startswith("user@") else ""
