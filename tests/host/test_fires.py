"""The schedule fires by itself, nobody helping: what is renewed, served, logged and mailed.

Cron and timers have minutes: all hosts are booted first and wait together.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial

import pytest

from tests.host import server
from tests.host.machine import Machine
from tests.host.schedules import LOG, applied, in_two_minutes

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

WAITS = True

BACKENDS = ("cron", "systemd-timer")
#: Seconds: up to three minutes until the time, one of random wait, two for the lock, and the run.
PATIENCE = 420

#: certbot's own lock (certbot/_internal/lock.py), held until a moment in seconds since 1970.
_HOLD_LOCK = """\
import fcntl, time
with open("/etc/letsencrypt/.certbot.lock", "w") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    time.sleep({until} - time.time())
"""


class State(Enum):
    """How the host is when the schedule fires."""

    WELL = "one certificate is due"
    NO_SERVER = "one is due, but the ACME server has stopped"
    IDLE = "nothing is due"
    LOCKED = "one is due, but another certbot holds the lock for a while"


@dataclass
class Scheduled:
    """A host with a time two to three minutes ahead, and what it served before."""

    host: Machine
    backend: str
    before: dict[str, str]
    #: until when the lock is held, seconds since 1970; 0 if it is not
    locked_until: float = 0


Cases = dict[tuple[str, State], Scheduled]


def start(host: Machine, backend: str, state: State) -> Scheduled:
    """Boots a host, brings it into a state and applies a plan whose time is near."""
    host.boot()
    server.new_account(host)
    found = Scheduled(host, backend, {name: server.served(host, name) for name in server.NAMES})
    if state is State.NO_SERVER:
        host.run(["systemctl", "stop", "pebble"])
    if state is State.IDLE:
        server.make_due(host, server.DUE, due=False)
    when = in_two_minutes()
    applied(host, backend, times=(when.strftime("%H:%M"),))  # the host's zone is UTC
    if state is State.LOCKED:
        # Past the random minute that cron's runs wait, so that every run meets the lock.
        found.locked_until = when.timestamp() + 75
        holder = ["python3", "-c", _HOLD_LOCK.format(until=found.locked_until)]
        host.run(["systemd-run", "--collect", "--unit=holder", *holder])
    return found


@pytest.fixture(scope="module")
def scheduled(machine: Callable[[], Machine]) -> Iterator[Cases]:
    """Each backend on a host in each state."""
    cases = [(backend, state) for state in State for backend in BACKENDS]
    hosts = [machine() for _ in cases]
    try:
        with ThreadPoolExecutor(2) as pool:
            tasks = [pool.submit(start, h, *case) for h, case in zip(hosts, cases, strict=True)]
            started = {case: task.result() for case, task in zip(cases, tasks, strict=True)}
        for (backend, state), one in started.items():
            what = f"the run by {backend} when {state.value}"
            one.host.wait_until(partial(one.host.exists, LOG), PATIENCE, what)
        yield started
    finally:
        for host in hosts:
            host.close()


def only_run(host: Machine, keep: Keep) -> list[str]:
    """The words of the one line of the log."""
    shown = host.run(["cat", LOG])
    keep(shown, f"cat {LOG}")
    (line,) = shown.stdout.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [a-z-]+ [a-z-]+ \d+( .*)?", line)
    return line.split()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_due_certificate_is_renewed_and_served(
    scheduled: Cases, backend: str, transcript: Keep
) -> None:
    found = scheduled[backend, State.WELL]
    host = found.host
    assert only_run(host, transcript)[1:3] == [backend, "ok"]
    fresh = server.on_disk(host, server.DUE)
    assert fresh != found.before[server.DUE]
    host.wait_until(lambda: server.served(host, server.DUE) == fresh, 10, "nginx to load it")
    said = f"before: {found.before[server.DUE]}\nserved: {fresh}\n"
    transcript(subprocess.CompletedProcess([], 0, said, ""), f"{server.DUE} on 127.0.0.1:443")
    other = next(name for name in server.NAMES if name != server.DUE)
    assert server.served(host, other) == found.before[other]
    assert not host.exists("/var/lib/certtui/pending-deploy")
    assert server.mails_taken(host) == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_failed_run_sends_exactly_one_mail(
    scheduled: Cases, backend: str, transcript: Keep
) -> None:
    host = scheduled[backend, State.NO_SERVER].host
    host.wait_until(lambda: host.mails(server.ADMIN), 20, "the mail")
    assert server.mails_taken(host) == 1
    (mail,) = host.mails(server.ADMIN)
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    text = body.decode()
    path = f"/var/mail/{server.ADMIN}"
    transcript(host.run(["cat", path]), f"cat {path}")
    assert "web1" in mail["Subject"]
    assert server.DUE in mail["Subject"]
    assert "web1" in text
    assert server.DUE in text
    assert "Connection refused" in text
    assert only_run(host, transcript)[1:3] == [backend, "failed"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_is_still_scheduled_after_a_reboot(
    scheduled: Cases, backend: str, transcript: Keep
) -> None:
    host = scheduled[backend, State.WELL].host
    host.reboot()
    if backend == "cron":
        assert host.run(["systemctl", "is-active", "cron"]).stdout == "active\n"
        assert host.exists("/etc/cron.d/certtui-renew")
    else:
        assert host.run(["systemctl", "is-active", "certtui-renew.timer"]).stdout == "active\n"
        argv = ["systemctl", "show", "-p", "NextElapseUSecRealtime", "certtui-renew.timer"]
        assert re.search(r"=\w+ \d{4}-\d\d-\d\d", host.run(argv).stdout)
    done = host.certtui("doctor")
    transcript(done, "systemctl reboot; certtui doctor")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_due_sends_no_mail(scheduled: Cases, backend: str, transcript: Keep) -> None:
    found = scheduled[backend, State.IDLE]
    assert only_run(found.host, transcript)[1:3] == [backend, "ok"]
    assert {name: server.on_disk(found.host, name) for name in server.NAMES} == found.before
    assert server.mails_taken(found.host) == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_held_lock_is_waited_for_and_sends_no_mail(
    scheduled: Cases, backend: str, transcript: Keep
) -> None:
    found = scheduled[backend, State.LOCKED]
    when, _, result, seconds = only_run(found.host, transcript)[:4]
    assert result == "ok"
    ended = datetime.strptime(when, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    # It began more than cron's random wait before the lock was let go, so it has met it.
    assert ended - int(seconds) + 60 < found.locked_until < ended
    assert server.on_disk(found.host, server.DUE) != found.before[server.DUE]
    assert server.mails_taken(found.host) == 0
