"""Status on a real server: what is served, what runs did, what was mailed; damaged files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.host import server
from tests.host.machine import Machine
from tests.host.schedules import CRON, SCRIPT, TIMER, Schedule, applied
from tests.host.web import APACHE, NGINX, Web

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

HOME = "/var/lib/certtui"
A, B = server.NAMES

#: Renewed as by a colleague who does not know of hooks.
RENEW = [
    *("certbot", "renew", "-q", "--force-renewal", "--cert-name", A),
    *("--no-directory-hooks", "--no-random-sleep-on-renew"),
]


def look(host: Machine, keep: Keep) -> tuple[str, dict[str, Any]]:
    """What a person reads, and what a program reads."""
    shown, told = host.certtui("status"), host.certtui("status", "--json")
    keep(shown, "certtui status")
    assert (shown.returncode, told.returncode) == (0, 0), shown.stderr + told.stderr
    assert shown.stderr + told.stderr == ""
    assert max(map(len, shown.stdout.splitlines())) <= 80
    return shown.stdout, json.loads(told.stdout)


def served(told: dict[str, Any]) -> dict[str, tuple[bool | None, str]]:
    return {item["name"]: (item["served"], item["served_state"]) for item in told["certificates"]}


@pytest.mark.parametrize(
    ("schedule", "web"), [(TIMER, NGINX), (CRON, APACHE)], ids=["nginx", "apache"]
)
def test_what_a_person_and_a_program_read(
    new_host: Callable[..., Machine], schedule: Schedule, web: Web, transcript: Keep
) -> None:
    host = new_host(web=web)
    server.make_due(host, server.DUE, due=False)
    applied(host, schedule, web=web)
    text, told = look(host, transcript)
    assert text.startswith("No trouble seen: 2 certificates, first expiry in 89 days; next run in ")
    assert served(told) == {A: (True, "same"), B: (True, "same")}
    item = told["certificates"][0]
    assert (item["domains"], item["lifetime_days"]) == ([A], 90.0)
    # 30 days before, or from certbot 4.0 on a third of 90 days less a second.
    assert item["attempts_left"] in (59, 60)
    assert item["issuer"].startswith("Pebble Intermediate CA")
    assert item["key"] in ("RSA 2048", "ECDSA P-256")
    assert len(told["schedule"]["next"]) == 5
    assert (told["last_mail"], told["trouble"]) == (None, [])

    # Renewed without a reload: the disk looks well, and 443 does not.
    host.run(RENEW, env={"REQUESTS_CA_BUNDLE": server.TRUST})
    text, told = look(host, transcript)
    assert text.startswith("TROUBLE: 1 renewed but served as before")
    assert served(told) == {A: (False, "old"), B: (True, "same")}
    host.run(["systemctl", "reload", web.service])
    assert served(look(host, transcript)[1])[A] == (True, "same")

    # A run that fails, and its mail.
    server.make_due(host, server.DUE)
    host.run(["systemctl", "stop", "pebble"])
    host.run([SCRIPT], check=False, timeout=300)
    text, told = look(host, transcript)
    assert "the last run ended as failed" in told["trouble"]
    assert told["schedule"]["last"][0]["result"] == "failed"
    assert told["last_mail"]["sent"] is True
    assert told["certificates"][1]["due"] is True

    host.run(["systemctl", "stop", web.service])
    _, told = look(host, transcript)
    assert served(told) == {A: (None, "nobody"), B: (None, "nobody")}
    assert f"{web.kind} is stopped" in told["trouble"]


def test_damaged_files_and_a_server_that_hangs(host: Machine, transcript: Keep) -> None:
    applied(host, TIMER)
    host.write(f"{HOME}/runs.log", "\0\0junk\n2026-01-01T00:00:00Z cron ok\n")
    host.write(f"{HOME}/last-mail", "\x1b[2Jjunk\n")
    host.run(["sh", "-c", f"echo junk >$(readlink -f /etc/letsencrypt/live/{A}/fullchain.pem)"])
    host.run(["systemctl", "kill", "--signal=STOP", "nginx"])
    text, told = look(host, transcript)
    assert text.startswith("TROUBLE: 1 cannot be read; port 443 does not answer")
    assert "2 lines are damaged" in text
    assert "last-mail is damaged" in text
    assert served(told)[B] == (False, "silent")


def test_without_certtuis_plan(host: Machine, transcript: Keep) -> None:
    text, told = look(host, transcript)
    assert "nothing is set up by certtui yet" in text
    assert served(told)[A] == (True, "same")
    assert told["certificates"][0]["attempts_left"] is None
