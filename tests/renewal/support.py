"""A plan, facts with some lineages, and certbots of a few lines."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from certtui.host.facts import CertbotInstall, Facts, Lineage, System
from certtui.plan import document
from certtui.plan.model import Plan
from certtui.renewal.dry_run import dry_run
from certtui.renewal.events import Done, Event, Line

CHECKOUT = Path(__file__).parents[2]

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
OTHER = "https://ca.example.net/directory"

NAMES = ("demo.example.test", "shop.example.test")

#: What a real run prints around its results.
HEAD = """\
say() { printf '%s\\n' "$@"; }
frame="- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -"
processing() { say "" "$frame" "Processing /etc/letsencrypt/renewal/$1.conf" "$frame"; }
success() {
    say "" "$frame" "Congratulations, all simulated renewals succeeded: "
    for name; do say "  /etc/letsencrypt/live/$name/fullchain.pem (success)"; done
    say "$frame"
}
"""


def plan(**changes: Any) -> Plan:
    """The default plan; ``certbot_timeout=2`` is ``certbot.timeout``."""
    values = {key.replace("_", ".", 1): value for key, value in changes.items()}
    timeout = values.pop("certbot.timeout", None)
    made = document.new(values, "plan.toml").plan
    if timeout is None:
        return made
    # Shorter than a plan may say, for the tests' sake.
    return replace(made, certbot=replace(made.certbot, timeout=timeout))


def lineage(name: str, server: str = LETS_ENCRYPT, error: str = "") -> Lineage:
    """A lineage below /etc/letsencrypt."""
    return Lineage(
        name,
        f"/etc/letsencrypt/renewal/{name}.conf",
        f"/etc/letsencrypt/live/{name}/fullchain.pem",
        server,
        error=error,
    )


def facts(
    *lineages: Lineage | str,
    certbot: str | Path = "/usr/bin/certbot",
    manager: str = "apt",
    root: bool = True,
    unreadable: tuple[str, ...] = (),
) -> Facts:
    """A host with these lineages; names stand for Let's Encrypt's."""
    system = System("debian", (), "Debian", "host.example", "0" * 32, "other", 0, manager, root)
    return Facts(
        system=system,
        certbots=(CertbotInstall(str(certbot), "deb", "2.1.0"),) if certbot else (),
        lineages=tuple(lineage(each) if isinstance(each, str) else each for each in lineages),
        unreadable=unreadable,
    )


def program(folder: Path, body: str, interpreter: str = "/bin/sh") -> Path:
    """A certbot: a script with this body; :data:`HEAD` comes before it for sh."""
    path = folder / "certbot"
    head = HEAD if interpreter == "/bin/sh" else ""
    path.write_text(f"#!{interpreter}\n{head}{body}\n", "utf-8")
    path.chmod(0o755)
    return path


def run(
    certbot: Path,
    *lineages: Lineage | str,
    cancel: threading.Event | None = None,
    only: str = "",
    log_path: str = "",
    **changes: Any,
) -> list[Event]:
    """All events of a dry run of that certbot."""
    found = facts(*(lineages or NAMES), certbot=certbot)
    switch = cancel or threading.Event()
    return list(dry_run(plan(**changes), found, cancel=switch, only=only, log_path=log_path))


def done(events: Sequence[Event]) -> Done:
    """The last event, which is the only Done."""
    ends = [event for event in events if isinstance(event, Done)]
    assert len(ends) == 1
    assert events[-1] is ends[0]
    return ends[0]


def texts(events: Sequence[Event]) -> list[str]:
    """What certbot printed."""
    return [event.text for event in events if isinstance(event, Line)]


def results(end: Done) -> dict[str, str]:
    """Name to result."""
    return {row.name: row.result for row in end.lineages}


def wait_for(path: Path, seconds: float = 10.0) -> str:
    """The content of a file, once it is there and not empty."""
    deadline = time.monotonic() + seconds
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.02)
    return path.read_text()


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return False
    return state != "Z"


def gone(pid: int, seconds: float = 5.0) -> bool:
    """Whether a process has ended, now or soon."""
    deadline = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def environment(**more: str) -> dict[str, str]:
    """For a certtui started as a program."""
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1", **more}
