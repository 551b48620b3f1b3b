"""Whether this host is a container: it has no clock and no kernel of its own."""

from __future__ import annotations

import re

from certtui.host.interface import Host
from certtui.host.system import read_text

#: Seconds.
_TIMEOUT = 5.0


def kind(host: Host) -> str:
    """What kind of container this is ("systemd-nspawn", "docker", "lxc"), or "".

    systemd's container interface: the manager says so in /run/systemd/container or in the
    environment of process 1; Docker and Podman leave a file.
    """
    named = read_text(host, "/run/systemd/container").strip()
    if named:
        return named
    inside = re.search(r"(?:^|\0)container=([\w-]+)", read_text(host, "/proc/1/environ"))
    if inside:
        return inside[1]
    for path, name in (("/.dockerenv", "docker"), ("/run/.containerenv", "podman")):
        if host.info(path) is not None:
            return name
    # systemd-detect-virt(1): it fails where there is none.
    said = host.run(["systemd-detect-virt", "-c"], timeout=_TIMEOUT)
    return said.out.strip() if said.ok else ""
