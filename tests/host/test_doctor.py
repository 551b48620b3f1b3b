"""Doctor on a real server: well after apply; each thing broken is named, and its mend mends it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from tests.host.machine import Machine
from tests.host.test_apply import applied

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

BREAKS = {
    "timer-stopped": ("systemd-timer", ["systemctl", "stop", "certtui-renew.timer"]),
    "timer-disabled": ("systemd-timer", ["systemctl", "disable", "certtui-renew.timer"]),
    "cron-stopped": ("cron", ["systemctl", "stop", "cron"]),
    "cron-file-group-write": ("cron", ["chmod", "g+w", "/etc/cron.d/certtui-renew"]),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_named_and_mended(host: Machine, name: str, transcript: Keep) -> None:
    backend, broken = BREAKS[name]
    applied(host, backend)
    well = host.certtui("doctor")
    transcript(well, "certtui doctor")
    assert well.returncode == 0, well.stdout + well.stderr

    host.run(broken)
    ill = host.certtui("doctor")
    transcript(ill, f"{' '.join(broken)}; certtui doctor")
    assert ill.returncode == 1, ill.stdout + ill.stderr
    said = json.loads(host.certtui("doctor", "--json").stdout)
    failed = [item for item in said["findings"] if item["status"] == "fail"]
    assert failed
    for item in failed:
        assert item["fix"]["argv"], item
        mended = host.run(item["fix"]["argv"], check=False)
        transcript(mended, " ".join(item["fix"]["argv"]))
    after = host.certtui("doctor")
    transcript(after, "certtui doctor")
    assert after.returncode == 0, after.stdout + after.stderr
