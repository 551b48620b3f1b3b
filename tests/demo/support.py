"""What the demo's tests share: finding what a sandbox may have left, and waiting for it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from certtui.demo import ca
from certtui.demo.sandbox import find_certbot
from certtui.errors import CertbotMissing

HOLDER = Path(__file__).with_name("holder.py")
CHECKOUT = Path(__file__).parents[2]

_GET = {"pebble": "apt install pebble", "acme2certifier": "pip install 'certtui[demo]'"}

#: Starts a holder: ``hold(authority, scratch, environment, **options of Popen)``.
Hold = Callable[..., "subprocess.Popen[str]"]


def need(authority: str) -> None:
    """Skips the test where that server or certbot is not installed."""
    try:
        find_certbot()
    except CertbotMissing:
        pytest.skip("certbot is not installed: pip install 'certtui[demo]'")
    if authority not in ca.available():
        pytest.skip(f"{authority} is not installed: {_GET[authority]}")


def processes(folder: Path) -> list[str]:
    """Every living process with ``folder`` in its environment or arguments, by another way than
    the guard's own: it looks for any mention at all."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in told:
            found.append(f"{entry.name} {told!r}")
    return found


def gone(scratch: Path, seconds: float = 5.0) -> bool:
    """Whether no process knows ``scratch`` and nothing is in it, now or within ``seconds``."""
    deadline = time.monotonic() + seconds
    while processes(scratch) or any(scratch.iterdir()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def wait_for(process: subprocess.Popen[str], moment: str) -> None:
    """Reads what a holder prints until it says ``moment``."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == moment:
            return
    pytest.fail(f"the holder ended before {moment!r}")
