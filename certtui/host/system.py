"""The operating system: which one, its name, process 1, its package manager."""

from __future__ import annotations

import re
import shlex

from certtui.host.facts import System
from certtui.host.interface import Host

#: program -> the name we know the package manager by; the first one found counts.
_MANAGERS = (
    ("apt-get", "apt"),
    ("dnf", "dnf"),
    ("zypper", "zypper"),
    ("pacman", "pacman"),
    ("apk", "apk"),
)


def system(host: Host) -> System:
    """Reads files and runs at most ``systemctl --version``."""
    release = _os_release(host)
    init = "systemd" if _is_directory(host, "/run/systemd/system") else "other"  # sd_booted(3)
    return System(
        os_id=release.get("ID", "linux"),
        os_like=tuple(release.get("ID_LIKE", "").split()),
        os_name=release.get("PRETTY_NAME", "Linux"),
        hostname=_hostname(host),
        machine_id=_machine_id(host),
        init=init,
        systemd_version=_systemd_version(host) if init == "systemd" else 0,
        package_manager=next((name for program, name in _MANAGERS if host.which(program)), ""),
        is_root=host.is_root(),
    )


def read_text(host: Host, path: str) -> str:
    """A file as text; "" where there is none or it cannot be read."""
    try:
        data = host.read(path)
    except OSError:
        return ""
    return (data or b"").decode("utf-8", "replace")


def process_names(host: Host) -> set[str]:
    """The names of all processes (proc(5), comm)."""
    return {
        read_text(host, f"/proc/{entry}/comm").strip()
        for entry in host.names("/proc")
        if entry.isdigit()
    }


def _os_release(host: Host) -> dict[str, str]:
    """os-release(5): shell-like assignments, each on a line of its own."""
    text = read_text(host, "/etc/os-release") or read_text(host, "/usr/lib/os-release")
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or not re.fullmatch(r"[A-Z0-9_]+", name):
            continue
        try:
            found[name] = " ".join(shlex.split(value))
        except ValueError:
            found[name] = value
    return found


def _hostname(host: Host) -> str:
    """The kernel's name, with the domain that hosts(5) gives it.

    ``hostname -f`` would know a domain from DNS too, and wait for a server that does not answer.
    """
    short = read_text(host, "/proc/sys/kernel/hostname").strip() or "localhost"
    for line in read_text(host, "/etc/hosts").splitlines():
        names = line.partition("#")[0].split()[1:]
        if short in names and names[0].startswith(f"{short}."):
            return names[0]
    return short


def _machine_id(host: Host) -> str:
    found = read_text(host, "/etc/machine-id").strip()
    return found if re.fullmatch(r"[0-9a-f]{32}", found) else ""


def _systemd_version(host: Host) -> int:
    found = re.match(r"systemd (\d+)", host.run(["systemctl", "--version"], timeout=5).out)
    return int(found[1]) if found else 0


def _is_directory(host: Host, path: str) -> bool:
    found = host.info(path)
    return found is not None and found.kind == "directory"
