"""However the owner of a sandbox ends, and whenever: no process stays, and no folder."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from .support import Hold, gone, need, processes, wait_for

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL]

#: The step after which the signal comes, and the seconds that pass before it.
MOMENTS = {
    "before the server is up": ("starting", 0.1),
    "while certbot loads": ("requesting", 0.1),
    "while certbot is at it": ("requesting", 1.2),
    "after": ("ready", 0.0),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_nothing_stays(hold: Hold, tmp_path: Path, number: signal.Signals, moment: str) -> None:
    need("acme2certifier")
    _interrupt(hold, "acme2certifier", tmp_path, number, moment)


@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_of_pebble_stays(hold: Hold, tmp_path: Path, moment: str) -> None:
    need("pebble")
    _interrupt(hold, "pebble", tmp_path, signal.SIGKILL, moment)


def test_killed_in_its_first_moments(hold: Hold, tmp_path: Path) -> None:
    need("acme2certifier")
    for hundredths in range(30):
        process = hold("acme2certifier", tmp_path)
        time.sleep(hundredths / 100)
        process.kill()
        process.wait()
        assert gone(tmp_path), f"killed after {hundredths} hundredths of a second"


def test_the_guard_killed_as_well(hold: Hold, tmp_path: Path) -> None:
    """Without its guard the owner still tidies up itself."""
    need("acme2certifier")
    process = hold("acme2certifier", tmp_path)
    wait_for(process, "ready")
    guards = [line for line in processes(tmp_path) if "guard.py" in line]
    assert len(guards) == 1
    os.kill(int(guards[0].split()[0]), signal.SIGKILL)
    process.send_signal(signal.SIGINT)
    process.wait(10)
    assert gone(tmp_path)


def _interrupt(
    hold: Hold, authority: str, scratch: Path, number: signal.Signals, moment: str
) -> None:
    step, pause = MOMENTS[moment]
    process = hold(authority, scratch)
    wait_for(process, step)
    time.sleep(pause)
    assert processes(scratch)
    process.send_signal(number)
    process.wait(5)
    assert gone(scratch)
    assert process.returncode == -number
