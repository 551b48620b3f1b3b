"""How each distribution installs what certtui may need.

apt is proved on booted hosts; the commands of the others are those of their manuals.
"""

from __future__ import annotations

from certtui.host.facts import Facts

#: package manager -> argv that installs (apt-get(8), dnf(8), zypper(8), pacman(8), apk(8)).
INSTALL: dict[str, tuple[str, ...]] = {
    "apt": ("apt-get", "install", "-y"),
    "dnf": ("dnf", "install", "-y"),
    "zypper": ("zypper", "--non-interactive", "install"),
    "pacman": ("pacman", "-S", "--noconfirm"),
    "apk": ("apk", "add"),
}

#: at and cron recommend a mail server there, and a mail server nobody asked for is no help.
_LEAN = {"apt": ("--no-install-recommends",), "zypper": ("--no-recommends",)}

#: what the package of each need is called by each package manager.
PACKAGES = {
    "cron": {"apt": "cron", "dnf": "cronie", "zypper": "cron", "pacman": "cronie", "apk": "cronie"},
    "atd": dict.fromkeys(INSTALL, "at"),
    "flock": dict.fromkeys(INSTALL, "util-linux"),
    "certbot": dict.fromkeys(INSTALL, "certbot"),
    "mail": {**dict.fromkeys(INSTALL, "msmtp"), "apt": "msmtp-mta"},
}

_SCHEDULING = {"cron", "atd", "flock"}


def install_argv(facts: Facts, *needs: str) -> tuple[str, ...]:
    """The command that installs "cron", "atd", "flock", "certbot" or "mail"; empty if unknown."""
    manager = facts.system.package_manager
    if manager not in INSTALL:
        return ()
    lean = _LEAN.get(manager, ()) if {*needs} <= _SCHEDULING else ()
    packages = dict.fromkeys(PACKAGES[need][manager] for need in needs)
    return (*INSTALL[manager], *lean, *packages)
