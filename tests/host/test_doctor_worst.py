"""Doctor and status where nothing is as it should be: findings, never a crash or a hang."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.host.machine import Machine
from tests.host.schedules import AT, CRON, TIMER, applied

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

BLOCK = AT[1]
#: Seconds that the whole doctor may take, whatever the host does.
WORST = 30.0

#: Programs that never answer; the first folder of the PATH that certtui gives its own.
HANGING = "certbot systemctl atq at nginx exim4 exim mailq timedatectl getent journalctl apachectl"
_HANG = f"""\
cd /usr/local/sbin
printf '#!/bin/sh\\nexec sleep 1000\\n' >hang
chmod 755 hang
for name in {HANGING}; do ln -s hang "$name"; done
"""

#: Takes connections on 443 and says nothing; so does the server that renews here.
_SILENT = """\
import socket
server = socket.create_server(("127.0.0.1", 443), backlog=200)
while True:
    server.accept()[0].detach()
"""

#: name -> (schedule or None, what is done to the host, the code and an id that doctor has to give)
BAD = {
    "no-certbot": (TIMER, "rm /usr/bin/certbot", 1, "certbot.found"),
    "no-lets-encrypt": (CRON, "rm -r /etc/letsencrypt", 1, "drift.missing"),
    "no-certificates": (
        TIMER,
        "cd /etc/letsencrypt && rm -r renewal/* live archive",
        1,  # nginx does not start without what its sites name
        "lineage.none",
    ),
    "nothing-at-all": (None, "rm -r /etc/letsencrypt /usr/bin/certbot", 1, "certbot.found"),
    "links-in-circles": (
        TIMER,
        "cd /etc/letsencrypt/live/a.example.test && ln -sf fullchain.pem fullchain.pem && "
        "ln -sf /nowhere privkey.pem && ln -sf . /etc/letsencrypt/renewal/loop.conf",
        1,
        "lineage.unreadable",
    ),
    "binary-logs": (
        CRON,
        "cd /var/lib/certtui && head -c 3000000 /dev/urandom >runs.log && "
        "head -c 3000 /dev/urandom | tee mail-state last-mail pending-deploy >at-state",
        0,
        "runs.damaged",
    ),
    "binary-state": (TIMER, "head -c 3000 /dev/urandom >/var/lib/certtui/state.json", 1, ""),
    "pipes-for-files": (
        CRON,
        "cd /var/lib/certtui && rm -f runs.log && mkfifo runs.log mail-state && "
        "cd /etc/letsencrypt/renewal && rm a.example.test.conf && mkfifo a.example.test.conf",
        1,
        "",
    ),
}


def doctor(host: Machine, keep: Keep) -> dict[str, object]:
    """What ``doctor --json`` says, and how long both forms took."""
    began = time.monotonic()
    done = host.certtui("doctor", "--json")
    took = time.monotonic() - began
    keep(done, f"certtui doctor --json  # {took:.1f} s")
    assert took < WORST
    assert done.returncode in (0, 1), done.stdout + done.stderr
    said = dict(json.loads(done.stdout))
    assert said["counts"]["crash"] == 0, done.stdout
    text = host.certtui("doctor")
    keep(text, "certtui doctor")
    assert text.returncode == done.returncode
    assert "Traceback" not in text.stdout + text.stderr
    return {**said, "code": done.returncode}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_a_finding(
    new_host: Callable[..., Machine], name: str, transcript: Keep
) -> None:
    schedule, broken, code, id = BAD[name]
    host = new_host()
    if schedule is not None:
        applied(host, schedule)
    host.run(["sh", "-ec", broken])
    said = doctor(host, transcript)
    assert said["code"] == code
    ids = [item["id"] for item in said["findings"] if item["status"] in ("warn", "fail")]  # type: ignore[attr-defined]
    assert not id or id in ids
    for options in ((), ("--json",)):
        status = host.certtui("status", *options)
        transcript(status, " ".join(("certtui status", *options)))
        assert status.returncode == 0, status.stdout + status.stderr


def test_a_host_on_which_everything_hangs(host: Machine, transcript: Keep) -> None:
    applied(host, BLOCK)
    host.run(["systemctl", "stop", "nginx"])
    host.run(["sh", "-ec", _HANG])
    host.run(["/usr/bin/systemd-run", "--quiet", "python3", "-c", _SILENT])
    began = time.monotonic()
    done = host.certtui("doctor", "--json")
    took = time.monotonic() - began
    transcript(done, f"certtui doctor --json  # {took:.1f} s, everything hangs")
    assert took < WORST
    assert done.returncode == 1, done.stdout + done.stderr
    assert json.loads(done.stdout)["findings"]


def test_a_user_who_may_see_nothing(host: Machine, transcript: Keep) -> None:
    applied(host, TIMER)
    host.run(["chmod", "0700", "/etc/letsencrypt", "/etc/certtui"])
    for arguments in (("doctor",), ("doctor", "--json"), ("status",), ("status", "--json")):
        done = host.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "certtui", *arguments],
            check=False,
        )
        transcript(done, " ".join(("certtui", *arguments)))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
