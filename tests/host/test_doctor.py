"""Doctor on a real server, for who is not root; what root is told: test_mutations.py."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from tests.host.machine import Machine
from tests.host.schedules import TIMER, applied

Keep = Callable[[subprocess.CompletedProcess[str], str], None]


def test_an_ordinary_user_sees_what_he_may(host: Machine, transcript: Keep) -> None:
    applied(host, TIMER)
    for command in ("doctor", "status"):
        done = host.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "certtui", command],
            check=False,
        )
        transcript(done, f"certtui {command}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "root" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
