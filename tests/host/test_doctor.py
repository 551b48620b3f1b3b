"""Doctor on a real server: well after apply; each thing broken is named, and its mend mends it."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable

import pytest

from tests.host.machine import Machine
from tests.host.test_apply import applied

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

FOLDER, TIMER, LOAD = "/etc/systemd/system", "certtui-renew.timer", "systemctl daemon-reload"

#: name -> (backend, what breaks it, the finding that has to name it)
BREAKS = {
    "timer-stopped": (
        "systemd-timer",
        ["systemctl", "stop", "certtui-renew.timer"],
        "timer.not-active",
    ),
    "timer-disabled": (
        "systemd-timer",
        ["systemctl", "disable", "certtui-renew.timer"],
        "timer.not-enabled",
    ),
    "cron-stopped": ("cron", ["systemctl", "stop", "cron"], "cron.daemon"),
    "cron-file-group-write": (
        "cron",
        ["chmod", "g+w", "/etc/cron.d/certtui-renew"],
        "cron.insecure-mode",
    ),
    "cron-file-hard-link": (
        "cron",
        ["ln", "/etc/cron.d/certtui-renew", "/root/second-name"],
        "cron.hard-links",
    ),
    "cron-file-no-final-newline": (
        "cron",
        ["truncate", "-s", "-1", "/etc/cron.d/certtui-renew"],
        "cron.no-final-newline",
    ),
    "cron-file-bad-line": (
        "cron",
        ["sed", "-i", "$a61 * * * * root true", "/etc/cron.d/certtui-renew"],
        "cron.bad-line",
    ),
    "cron-file-gone": ("cron", ["rm", "/etc/cron.d/certtui-renew"], "drift.missing"),
    "timer-no-install": (
        "systemd-timer",
        ["sh", "-c", f"systemctl disable {TIMER} && sed -i /WantedBy/d {FOLDER}/{TIMER} && {LOAD}"],
        "timer.no-install",
    ),
    "hook-not-executable": (
        "systemd-timer",
        ["chmod", "-x", "/etc/letsencrypt/renewal-hooks/post/certtui-reload"],
        "hooks.not-executable",
    ),
    "vendor-timer-on-again": (
        "systemd-timer",
        ["systemctl", "enable", "--now", "certbot.timer"],
        "renewers.second",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_named_and_mended(host: Machine, name: str, transcript: Keep) -> None:
    backend, broken, id = BREAKS[name]
    applied(host, backend)
    well = host.certtui("doctor")
    transcript(well, "certtui doctor")
    assert well.returncode == 0, well.stdout + well.stderr

    host.run(broken)
    ill = host.certtui("doctor")
    transcript(ill, f"{' '.join(broken)}; certtui doctor")
    assert ill.returncode == 1, ill.stdout + ill.stderr
    assert f"id:   {id}\n" in ill.stdout
    said = json.loads(host.certtui("doctor", "--json").stdout)
    failed = {item["id"]: item for item in said["findings"] if item["status"] == "fail"}
    assert id in failed
    mend = failed[id]["fix"]["argv"]
    assert f"mend: {shlex.join(mend)}\n" in ill.stdout
    transcript(host.run(mend), shlex.join(mend))
    after = host.certtui("doctor")
    transcript(after, "certtui doctor")
    assert after.returncode == 0, after.stdout + after.stderr


def test_an_ordinary_user_sees_what_he_may(host: Machine, transcript: Keep) -> None:
    applied(host, "systemd-timer")
    for command in ("doctor", "status"):
        done = host.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "certtui", command],
            check=False,
        )
        transcript(done, f"certtui {command}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "root" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
