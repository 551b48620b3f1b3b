"""Debian's own timer turned on again after apply: doctor says so, and nothing fails in silence."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.host import server
from tests.host.machine import Machine
from tests.host.schedules import CRON, LOG, TIMER, Schedule, applied, in_two_minutes
from tests.host.test_safety_net import scheduled_run

Keep = Callable[[subprocess.CompletedProcess[str], str], None]
Hosts = dict[Schedule, Machine]

WAITS = True

SCHEDULES = (TIMER, CRON)
#: Seconds until our own slot and its run: up to three minutes, one of random wait, and the run.
PATIENCE = 300

ID = "renewers.vendor"
_MAIL = f"[certtui] web1.example.test: renewal failed: {server.DUE}"


def start(host: Machine, schedule: Schedule) -> list[str]:
    """A server whose due certificate cannot be renewed and whose own slot is minutes away.

    Then Debian's timer is turned on again; gives what doctor says before and after, as JSON.
    """
    host.boot()
    server.new_account(host)
    host.run(["systemctl", "stop", "pebble"])
    when = in_two_minutes()
    applied(host, schedule, times=(when.strftime("%H:%M"),))
    assert timer(host, "is-enabled") == "disabled"
    assert timer(host, "is-active") == "inactive"
    before = host.certtui("doctor", "--json").stdout
    host.run(["systemctl", "enable", "--now", "certbot.timer"])
    done = host.certtui("doctor", "--json")
    assert done.returncode == 1, done.stdout
    # What Debian's timer starts: it meets the failure first, and tells nobody.
    host.run(["systemctl", "start", "certbot.service"], check=False)
    shown = ["systemctl", "show", "-P", "Result", "certbot.service"]
    assert host.run(shown).stdout == "exit-code\n"
    assert not host.exists(LOG), "our own slot came first"
    assert server.mails_taken(host) == 0
    return [before, done.stdout]


def timer(host: Machine, question: str) -> str:
    return host.run(["systemctl", question, "certbot.timer"], check=False).stdout.strip()


def failures(text: str) -> dict[str, dict[str, object]]:
    """What doctor says is wrong: id -> finding."""
    found = json.loads(text)["findings"]
    return {item["id"]: item for item in found if item["status"] in ("warn", "fail", "crash")}


@pytest.fixture(scope="module")
def turned_on(machine: Callable[[], Machine]) -> Iterator[tuple[Hosts, dict[Schedule, list[str]]]]:
    """A host for each of our schedules, past its own slot, and what doctor said before."""
    hosts = {schedule: machine() for schedule in SCHEDULES}
    try:
        with ThreadPoolExecutor(2) as pool:
            said = dict(zip(hosts, pool.map(start, hosts.values(), hosts), strict=True))
        for schedule, host in hosts.items():
            host.wait_until(partial(host.exists, LOG), PATIENCE, f"our own run by {schedule}")
        yield hosts, said
    finally:
        for host in hosts.values():
            host.close()


def subjects(host: Machine) -> list[str]:
    """Of every mail until now; waits for those that are still on their way."""
    host.wait_until(lambda: len(host.mails(server.ADMIN)) == server.mails_taken(host), 20, "mail")
    return [str(mail["Subject"]) for mail in host.mails(server.ADMIN)]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_doctor_says_so(
    turned_on: tuple[Hosts, dict[Schedule, list[str]]], schedule: Schedule, transcript: Keep
) -> None:
    host, (before, after) = turned_on[0][schedule], turned_on[1][schedule]
    transcript(subprocess.CompletedProcess([], 1, after, ""), "certtui doctor --json")
    found = failures(after)
    assert set(found) - set(failures(before)) == {ID}
    assert (found[ID]["subject"], found[ID]["status"]) == ("certbot.timer", "fail")
    fix = found[ID]["fix"]
    assert isinstance(fix, dict)
    assert fix["argv"] == ["systemctl", "disable", "--now", "certbot.timer"]
    host.run(fix["argv"])
    done = host.certtui("doctor", "--json")
    host.run(["systemctl", "enable", "--now", "certbot.timer"])
    assert ID not in failures(done.stdout), done.stdout


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_what_it_met_first_is_mailed_once_by_our_own_next_run(
    turned_on: tuple[Hosts, dict[Schedule, list[str]]], schedule: Schedule, transcript: Keep
) -> None:
    host = turned_on[0][schedule]
    shown = host.run(["journalctl", "-u", "certbot.service", "--no-pager", "-o", "cat"])
    transcript(shown, "journalctl -u certbot.service")
    host.wait_until(lambda: server.mails_taken(host) > 0, 60, "the mail")
    assert subjects(host) == [_MAIL]
    transcript(host.run(["cat", f"/var/mail/{server.ADMIN}"]), f"cat /var/mail/{server.ADMIN}")
    # Both go on to meet it, for the rest of the day. What cron's runs wait is proved elsewhere.
    host.write("/usr/local/sbin/sleep", "#!/bin/sh\nexit 0\n", 0o755)
    for _ in range(2):
        host.run(["systemctl", "start", "certbot.service"], check=False)
        assert scheduled_run(host, schedule) == 1
    transcript(host.run(["cat", LOG]), f"cat {LOG}")
    assert [line.split(" ")[2] for line in host.read(LOG).splitlines()] == ["failed"] * 3
    assert subjects(host) == [_MAIL]
