"""The schedule fires by itself, nobody helping: what is renewed, served, logged and mailed.

Cron and timers have minutes: all hosts are booted first and wait together.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial

import pytest

from tests.host import server
from tests.host.machine import Machine
from tests.host.test_apply import BACKENDS, applied

LOG = "/var/lib/certtui/runs.log"
#: Seconds: up to three minutes until the time, one of random wait, and the run.
PATIENCE = 300

_HOLD_LOCK = """\
import fcntl, time
with open("/etc/letsencrypt/.certbot.lock", "w") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("held", flush=True)
    time.sleep({seconds})
"""


@dataclass
class Scheduled:
    """A host with a time two to three minutes ahead, and what it served before."""

    host: Machine
    backend: str
    healthy: bool
    before: dict[str, str] = field(default_factory=dict)


def in_two_minutes() -> str:
    """A local time of the host (its zone is UTC), at least two minutes ahead."""
    return (datetime.now(timezone.utc) + timedelta(minutes=2, seconds=30)).strftime("%H:%M")


@pytest.fixture(scope="module")
def scheduled(machine: Callable[..., Machine]) -> Iterator[dict[tuple[str, bool], Scheduled]]:
    """Each backend on a host that is well and on one whose ACME server has stopped."""
    made: list[Machine] = []

    def start(case: tuple[str, bool]) -> Scheduled:
        host = machine()
        made.append(host)
        host.boot()
        server.new_account(host)
        backend, healthy = case
        found = Scheduled(host, backend, healthy)
        found.before = {name: server.served(host, name) for name in server.NAMES}
        if not healthy:
            host.run(["systemctl", "stop", "pebble"])
        applied(host, backend, times=(in_two_minutes(),))
        return found

    cases = [(backend, healthy) for backend in BACKENDS for healthy in (True, False)]
    try:
        with ThreadPoolExecutor(2) as pool:
            started = dict(zip(cases, pool.map(start, cases), strict=True))
        for one in started.values():
            one.host.wait_until(
                partial(one.host.exists, LOG), PATIENCE, f"the run by {one.backend}"
            )
        yield started
    finally:
        for host in made:
            host.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_due_certificate_is_renewed_and_served(
    scheduled: dict[tuple[str, bool], Scheduled], backend: str
) -> None:
    found = scheduled[backend, True]
    host = found.host
    (line,) = host.read(LOG).splitlines()
    print(line)
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ {backend} ok \d+ ?", line)
    fresh = server.on_disk(host, server.DUE)
    assert fresh != found.before[server.DUE]
    host.wait_until(lambda: server.served(host, server.DUE) == fresh, 10, "nginx to load it")
    other = next(name for name in server.NAMES if name != server.DUE)
    assert server.served(host, other) == found.before[other]
    assert not host.exists("/var/lib/certtui/pending-deploy")
    assert host.mails(server.ADMIN) == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_failed_run_sends_exactly_one_mail(
    scheduled: dict[tuple[str, bool], Scheduled], backend: str
) -> None:
    host = scheduled[backend, False].host
    host.wait_until(lambda: host.mails(server.ADMIN), 20, "the mail")
    time.sleep(5)  # a second one would have come by now
    (mail,) = host.mails(server.ADMIN)
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    text = body.decode()
    print(mail["Subject"], text, sep="\n\n")
    assert "web1" in mail["Subject"]
    assert server.DUE in mail["Subject"]
    assert "web1" in text
    assert server.DUE in text
    assert "Connection refused" in text
    (line,) = host.read(LOG).splitlines()
    assert line.split()[1:3] == [backend, "failed"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_is_still_scheduled_after_a_reboot(
    scheduled: dict[tuple[str, bool], Scheduled], backend: str
) -> None:
    host = scheduled[backend, True].host
    host.reboot()
    if backend == "cron":
        assert host.run(["systemctl", "is-active", "cron"]).stdout == "active\n"
        assert host.exists("/etc/cron.d/certtui-renew")
    else:
        assert host.run(["systemctl", "is-active", "certtui-renew.timer"]).stdout == "active\n"
        argv = ["systemctl", "show", "-p", "NextElapseUSecRealtime", "certtui-renew.timer"]
        assert re.search(r"=\w+ \d{4}-\d\d-\d\d", host.run(argv).stdout)
    done = host.certtui("doctor")
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_due_and_a_held_lock_send_no_mail(new_host: Callable[..., Machine]) -> None:
    host = applied(new_host(), "systemd-timer")
    host.run(["systemctl", "start", "certtui-renew.service"])  # renews the due one
    conf = f"/etc/letsencrypt/renewal/{server.DUE}.conf"
    host.write(conf, host.read(conf).replace("renew_before_expiry = 100 days\n", ""))
    host.run(["systemctl", "start", "certtui-renew.service"])
    assert [line.split()[2] for line in host.read(LOG).splitlines()] == ["ok", "ok"]

    holder = ["python3", "-c", _HOLD_LOCK.format(seconds=40)]
    host.run(["systemd-run", "--collect", "--unit=holder", *holder])
    time.sleep(1)
    server.make_due(host, server.DUE)
    before = server.on_disk(host, server.DUE)
    host.run(["systemctl", "start", "certtui-renew.service"], timeout=200)
    assert [line.split()[2] for line in host.read(LOG).splitlines()] == ["ok", "ok", "ok"]
    seconds = int(host.read(LOG).splitlines()[-1].split()[3])
    assert seconds >= 39  # it was met, and tried again
    assert server.on_disk(host, server.DUE) != before
    assert host.mails(server.ADMIN) == []
