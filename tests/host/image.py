"""Debian roots for booted hosts: built once by mmdebstrap, kept outside the repository."""

from __future__ import annotations

import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

#: What a server of our users has, an ACME server to test against, what a login needs.
PACKAGES = (
    "apache2",
    "at",
    "bsd-mailx",
    "ca-certificates",
    "certbot",
    "cron",
    "curl",
    "dbus",
    "exim4-daemon-light",
    "iproute2",
    "libpam-systemd",
    "logrotate",
    "msmtp",
    "nginx-light",
    "openssh-server",
    "openssl",
    "pebble",
    "procps",
    "python3",
    "systemd",
    "systemd-sysv",
    "tmux",
    "wget",
)

#: The version of a release's python3.
PYTHON = {"bookworm": "3.11", "trixie": "3.13"}

#: Nothing may start in the chroot; on the booted host everything must.
_POLICY = (
    'printf "#!/bin/sh\\nexit 101\\n" >"$1/usr/sbin/policy-rc.d"; '
    'chmod 755 "$1/usr/sbin/policy-rc.d"'
)


def cache() -> Path:
    """Where images are kept (XDG base directories: cache)."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "certtui-tests"


def image(suite: str) -> Path:
    """The root of a Debian release, built if it is not there. Raises RuntimeError."""
    key = hashlib.sha256("\n".join((suite, *PACKAGES, _POLICY)).encode()).hexdigest()[:12]
    root = cache() / f"{suite}-{key}"
    cache().mkdir(parents=True, exist_ok=True)
    with open(cache() / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            _build(suite, root)
    return root


def sources(suite: str) -> list[str]:
    """This machine's own package sources, where it has the release; [] means Debian's mirrors."""
    found = []
    for path in (
        "/etc/apt/sources.list",
        *sorted(glob.glob("/etc/apt/sources.list.d/*.list")),
        *sorted(glob.glob("/etc/apt/sources.list.d/*.sources")),
    ):
        try:
            with open(path, encoding="utf-8") as file:
                content = file.read()
        except OSError:
            continue
        # A third party's source has the release's name too; Debian's own have its main component.
        if re.search(rf"^[^#]*\b{suite}\b", content, re.M) and re.search(
            r"^[^#]*\bmain\b", content, re.M
        ):
            found.append(path)
    return found


def _build(suite: str, root: Path) -> None:
    new = root.with_name(f"{root.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    argv = [
        *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
        *("--aptopt=APT::Install-Recommends false", f"--essential-hook={_POLICY}"),
        *('--customize-hook=rm "$1/usr/sbin/policy-rc.d"', "--format=directory"),
        *(suite, str(new), *sources(suite)),
    ]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(new, ignore_errors=True)
        raise RuntimeError(f"mmdebstrap failed:\n{done.stderr[-2000:]}")
    new.rename(root)
