"""Doctor on a real server: well after apply; each thing broken is named, and its mend mends it."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable

import pytest

from tests.host.machine import Machine
from tests.host.schedules import AT, CRON, TIMER, applied, quiet

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

FOLDER, UNIT, LOAD = "/etc/systemd/system", "certtui-renew.timer", "systemctl daemon-reload"
_, BLOCK, RANDOM_BY_CRON, RANDOM = AT

STATE = "/var/lib/certtui/at-state"
REMOVE = "atrm $(atq | cut -f1)"


def queued(script: str, when: str) -> str:
    """A job as our script queues it."""
    at = f"env -i PATH=/usr/bin:/bin TZ=UTC0 CERTTUI_SLOT=1 at -M -q c {when}"
    return f"echo 'exec {script} </dev/null' | {at}"


def drop_in(unit: str, text: str) -> list[str]:
    """What ``systemctl edit`` would have left."""
    folder = f"{FOLDER}/{unit}.d"
    return ["sh", "-c", f"mkdir {folder} && printf '{text}' >{folder}/override.conf && {LOAD}"]


#: name -> (schedule, what breaks it, the finding that has to name it)
BREAKS = {
    "timer-stopped": (
        TIMER,
        ["systemctl", "stop", "certtui-renew.timer"],
        "timer.not-active",
    ),
    "timer-disabled": (
        TIMER,
        ["systemctl", "disable", "certtui-renew.timer"],
        "timer.not-enabled",
    ),
    "cron-stopped": (CRON, ["systemctl", "stop", "cron"], "cron.daemon"),
    "cron-file-group-write": (
        CRON,
        ["chmod", "g+w", "/etc/cron.d/certtui-renew"],
        "cron.insecure-mode",
    ),
    "cron-file-hard-link": (
        CRON,
        ["ln", "/etc/cron.d/certtui-renew", "/root/second-name"],
        "cron.hard-links",
    ),
    "cron-file-no-final-newline": (
        CRON,
        ["truncate", "-s", "-1", "/etc/cron.d/certtui-renew"],
        "cron.no-final-newline",
    ),
    "cron-file-bad-line": (
        CRON,
        ["sed", "-i", "$a61 * * * * root true", "/etc/cron.d/certtui-renew"],
        "cron.bad-line",
    ),
    "cron-file-gone": (CRON, ["rm", "/etc/cron.d/certtui-renew"], "drift.missing"),
    "timer-no-install": (
        TIMER,
        ["sh", "-c", f"systemctl disable {UNIT} && sed -i /WantedBy/d {FOLDER}/{UNIT} && {LOAD}"],
        "timer.no-install",
    ),
    "hook-not-executable": (
        TIMER,
        ["chmod", "-x", "/etc/letsencrypt/renewal-hooks/post/certtui-reload"],
        "hooks.not-executable",
    ),
    "vendor-timer-on-again": (
        TIMER,
        ["systemctl", "enable", "--now", "certbot.timer"],
        "renewers.second",
    ),
    "service-starts-something-else": (
        TIMER,
        drop_in("certtui-renew.service", "[Service]\\nExecStart=\\nExecStart=/bin/true\\n"),
        "timer.exec",
    ),
    "service-starts-nothing": (
        RANDOM,
        drop_in("certtui-renew.service", "[Service]\\nExecStart=\\n"),
        "timer.exec",
    ),
    "timer-starts-something-else": (
        RANDOM,
        drop_in(UNIT, "[Timer]\\nUnit=cron.service\\n"),
        "timer.exec",
    ),
    "timer-without-times": (
        BLOCK,
        drop_in(UNIT, "[Timer]\\nOnCalendar=\\n"),
        "timer.refused",
    ),
    "timer-once-a-year": (
        RANDOM,
        drop_in(UNIT, "[Timer]\\nOnCalendar=\\nOnCalendar=*-01-01\\n"),
        "timer.next-too-late",
    ),
    "at-timer-stopped": (BLOCK, ["systemctl", "stop", UNIT], "timer.not-active"),
    "at-cron-stopped": (RANDOM_BY_CRON, ["systemctl", "stop", "cron"], "cron.daemon"),
    "at-atd-stopped": (RANDOM, ["systemctl", "stop", "atd"], "atd.daemon"),
    "at-atd-until-the-reboot": (
        BLOCK,
        ["sh", "-c", "systemctl disable atd && systemctl enable --runtime atd"],
        "atd.daemon",
    ),
    "at-job-gone": (RANDOM, ["sh", "-c", REMOVE], "at.missing"),
    "at-job-of-a-block-gone": (BLOCK, ["sh", "-c", REMOVE], "at.missing"),
    "at-job-at-another-minute": (
        RANDOM,
        ["sh", "-c", f"{REMOVE} && {queued(RANDOM.at_script, 'now + 9 days')}"],
        "at.wrong-minute",
    ),
    "at-job-twice": (
        BLOCK,
        ["sh", "-c", queued(BLOCK.at_script, "now + 9 days")],
        "at.several",
    ),
    "at-job-without-script": (
        RANDOM_BY_CRON,
        ["sh", "-c", queued("/opt/certbot-at-block", "now + 9 days")],
        "at.script-gone",
    ),
    "at-script-gone": (RANDOM, ["rm", RANDOM.at_script], "drift.missing"),
    "at-state-damaged": (RANDOM, ["truncate", "-s", "3", STATE], "at.state"),
    "at-state-of-a-wrong-clock": (
        BLOCK,
        ["sed", "-i", "s/^slot=.*/slot=99999999/", STATE],
        "at.state-future",
    ),
}
#: Findings that leave the exit code 0.
WARNINGS = ("at.several", "at.script-gone")
#: A timer that systemd takes again still has to be started again, which is a finding of its own.
TWO_STEPS = ("timer-without-times",)


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_named_and_mended(
    new_host: Callable[..., Machine], name: str, transcript: Keep
) -> None:
    schedule, broken, id = BREAKS[name]
    host = new_host(quiet(schedule))
    applied(host, schedule)
    well = host.certtui("doctor")
    transcript(well, "certtui doctor")
    assert well.returncode == 0, well.stdout + well.stderr

    host.run(broken)
    ill = host.certtui("doctor")
    transcript(ill, f"{shlex.join(broken)}; certtui doctor")
    assert ill.returncode == (0 if id in WARNINGS else 1), ill.stdout + ill.stderr
    assert f"id:   {id}\n" in ill.stdout
    said = json.loads(host.certtui("doctor", "--json").stdout)
    found = {item["id"]: item for item in said["findings"] if item["status"] in ("fail", "warn")}
    assert id in found
    mend = found[id]["fix"]["argv"]
    assert f"mend: {shlex.join(mend)}\n" in ill.stdout
    transcript(host.run(mend), shlex.join(mend))
    if name in TWO_STEPS:
        said = json.loads(host.certtui("doctor", "--json").stdout)
        (mend,) = [item["fix"]["argv"] for item in said["findings"] if item["status"] == "fail"]
        transcript(host.run(mend), shlex.join(mend))
    after = host.certtui("doctor")
    transcript(after, "certtui doctor")
    assert after.returncode == 0, after.stdout + after.stderr
    assert f"id:   {id}\n" not in after.stdout


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
