"""Web servers: who listens on 80 and 443, which unit owns it, and those that are stopped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certtui.host.facts import WebServer
from certtui.host.interface import Host
from certtui.host.system import process_names, read_text
from certtui.host.units import Properties, is_active

PORTS = (80, 443)

#: program -> (kind, its usual unit)
_KNOWN = {
    "nginx": ("nginx", "nginx.service"),
    "apache2": ("apache", "apache2.service"),
    "httpd": ("apache", "httpd.service"),
    "httpd-prefork": ("apache", "apache2.service"),  # openSUSE names it by its kind
    "httpd-worker": ("apache", "apache2.service"),
    "httpd-event": ("apache", "apache2.service"),
}

#: What to ask systemd about.
UNITS = tuple(dict.fromkeys(unit for _, unit in _KNOWN.values()))


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

    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError) as error:
        return (), (f"who listens on ports 80 and 443 cannot be seen: {error}",)
    found: dict[tuple[int, str], Listener] = {}
    hidden: set[int] = set()
    for connection in connections:
        port = connection.laddr[1] if connection.laddr else 0
        if connection.status != psutil.CONN_LISTEN or port not in PORTS:
            continue
        if connection.pid is None:
            hidden.add(port)
            continue
        try:
            program, path = _names(connection.pid)
        except psutil.NoSuchProcess:
            continue  # it ended between the two looks
        except psutil.AccessDenied:
            hidden.add(port)
            continue
        known = found.get((port, program))
        # The master of nginx and Apache has the lowest id; the unit is the same for all.
        if known is None or connection.pid < known.pid:
            found[port, program] = Listener(port, connection.pid, program, path)
    # A port's other addresses may be held by processes that are seen.
    hidden -= {listener.port for listener in found.values()}
    words = tuple(
        f"who listens on port {port} may not be seen by this user: run as root"
        for port in sorted(hidden)
    )
    return tuple(found.values()), words


def _names(pid: int) -> tuple[str, str]:
    """A process's name and the path of its program, "" where that may not be read."""
    import psutil

    process = psutil.Process(pid)
    name = process.name()
    try:
        return name, process.exe()
    except psutil.AccessDenied:
        return name, ""


def webservers(
    host: Host, listening: Sequence[Listener], units: Mapping[str, Properties] | None
) -> tuple[WebServer, ...]:
    """Those that own a port, then known ones that run without one, then stopped ones.

    ``units`` is None on a host without systemd.
    """
    by_program: dict[str, list[Listener]] = {}
    for listener in sorted(listening, key=lambda item: item.port):
        by_program.setdefault(listener.program, []).append(listener)
    servers = [_listening(host, program, found, units) for program, found in by_program.items()]
    running = set() if units is not None else process_names(host)
    for program, (kind, unit) in _KNOWN.items():
        path = host.which(program)
        if path is None or program in by_program:
            continue
        known = (units or {}).get(unit)
        alive = is_active(known) if known else program in running
        servers.append(WebServer(kind, path, unit if known else "", alive))
    return tuple(sorted(servers, key=lambda server: (-len(server.ports), not server.running)))


def _listening(
    host: Host,
    program: str,
    found: Sequence[Listener],
    units: Mapping[str, Properties] | None,
) -> WebServer:
    path = found[0].path or host.which(program) or program
    # busybox has an httpd too, which is not Apache's.
    kind, usual = _KNOWN.get(program, ("other", ""))
    if path.endswith("/busybox"):
        kind = "other"
    ports = tuple(listener.port for listener in found)
    group = read_text(host, f"/proc/{found[0].pid}/cgroup")
    # Without a control group the process has ended since: a server that is restarting right now.
    unit = _unit_of(group) if group else usual if usual in (units or {}) else ""
    return WebServer(kind, path, unit, True, ports)


def _unit_of(group: str) -> str:
    """The service in whose control group a process is (cgroups(7)); "" where none is."""
    found = re.findall(r"/([^/\n]+\.service)(?=/|$)", group, re.MULTILINE)
    # The innermost unit of the system's own manager; user@1000.service holds a user's units.
    return found[0] if found and not found[0].startswith("user@") else ""
