"""Which certbots are installed, how each came here, and its version."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from certtui.host.facts import CertbotInstall
from certtui.host.interface import SAFE_PATH, Host

#: Beside the folders of PATH: where pip installs of the certbot project's own instructions are.
_ELSEWHERE = ("/opt/certbot/bin/certbot", "/opt/certbot/venv/bin/certbot", "/usr/local/bin/certbot")

#: Seconds. certbot imports much before it can say its version.
_VERSION_TIMEOUT = 20.0


def certbots(host: Host, command: str = "auto") -> tuple[CertbotInstall, ...]:
    """The certbots found, each once, the one ``auto`` means first.

    ``command`` is the plan's: a path is asked for its version too, wherever it is.
    """
    on_path = [f"{folder}/certbot" for folder in SAFE_PATH.split(":")]
    wanted = [] if command == "auto" else [command]
    found: dict[str, str] = {}  # real path -> path
    for path in [*wanted, *on_path, *_ELSEWHERE]:
        real = _program(host, path)
        if real:
            found.setdefault(real, path)
    if not found:
        return ()
    with ThreadPoolExecutor(max_workers=len(found)) as pool:
        return tuple(pool.map(lambda item: _install(host, item[1], item[0]), found.items()))


def _program(host: Host, path: str) -> str:
    """Where a program really is; "" where there is none that may be run."""
    real = host.resolve(path)
    found = host.info(real) if real else None
    if real is None or found is None or found.kind != "file" or not found.mode & 0o111:
        return ""
    # Every program of every snap is a link to /usr/bin/snap, told apart by the link's name; the
    # certbot project has people link /usr/bin/certbot to /snap/bin/certbot.
    return f"/snap/bin/{path.rpartition('/')[2]}" if real.endswith("/bin/snap") else real


def _install(host: Host, path: str, real: str) -> CertbotInstall:
    said = host.run([path, "--version"], timeout=_VERSION_TIMEOUT)
    version = re.search(r"^certbot (\d[\w.]*)", said.text, re.MULTILINE)
    return CertbotInstall(path, _kind(host, path, real), version[1] if version else "")


def _kind(host: Host, path: str, real: str) -> str:
    if real.startswith("/snap/"):
        return "snap"
    if real.startswith("/usr/bin/") and host.info("/var/lib/dpkg/info/certbot.list"):
        return "deb"
    if real.startswith("/usr/bin/") and host.run(["rpm", "-qf", real], timeout=10).ok:
        return "rpm"
    if host.info(re.sub(r"/bin/[^/]*$", "/pyvenv.cfg", real)) or real.startswith("/usr/local/"):
        return "pip"
    return "other"
