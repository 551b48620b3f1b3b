"""A host whose process 1 is not systemd: Debian's init scripts, cron, at; nobody helps.

All hosts are started first and wait together for their time.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.host import at, server
from tests.host.machine import Machine
from tests.host.schedules import CRON, LOG, PLAN, Schedule, applied, in_two_minutes, soon
from tests.host.test_rendered import check_scripts
from tests.host.test_servers import ended_and_started
from tests.host.web import APACHE, NGINX, Web

Machines = Callable[..., Machine]
Keep = Callable[[subprocess.CompletedProcess[str], str], None]

WAITS = True

#: Seconds: up to three minutes until the time, one of random wait, and the run.
PATIENCE = 300

CALLS = "/var/log/service-calls"
#: Tells which service commands were given, and gives them.
_SERVICE = f"""\
#!/bin/sh
printf '%s\\n' "$*" >>{CALLS}
exec /usr/sbin/service "$@"
"""


@dataclass(frozen=True)
class Case:
    """What a host has, and how its plan differs from the usual one."""

    web: Web
    schedule: Schedule
    action: str = "reload"

    def plan(self) -> str:
        """A plan that fires in two to three minutes, on a host of the right machine id."""
        backend, trigger = self.schedule.backend, self.schedule.trigger
        times = () if self.schedule.uses_at else (in_two_minutes().strftime("%H:%M"),)
        return server.plan(backend, web=self.web, action=self.action, trigger=trigger, times=times)

    def __str__(self) -> str:
        return f"{self.web.kind}-{self.action}-{self.schedule}"


CASES = (
    Case(NGINX, CRON),
    Case(APACHE, CRON, "restart"),
    Case(APACHE, Schedule("at-block", "auto")),
    Case(NGINX, Schedule("at-random", "auto")),
)


@dataclass
class Started:
    """A host to which a plan was applied, and how it was before."""

    host: Machine
    applied: subprocess.CompletedProcess[str]
    listing: dict[str, Any]
    served: str
    main: int


def boot(host: Machine, web: Web) -> None:
    """Boots without systemd and starts everything."""
    host.boot_without_systemd()
    server.start_by_hand(host, web)
    server.new_account(host)


def start(case: Case, machine: Machines) -> Started:
    plan = case.plan()
    host = machine(soon(plan) if case.schedule.uses_at else "", web=case.web)
    try:
        host.write("/usr/local/sbin/service", _SERVICE, 0o755)
        host.write(PLAN, plan)
        boot(host, case.web)
        found = host.listing(), server.served(host, server.DUE), case.web.main_process(host)
        return Started(host, host.certtui("apply", PLAN), *found)
    except BaseException:
        host.close()
        raise


@pytest.fixture(scope="module")
def started(machine: Machines) -> Iterator[dict[Case, Started]]:
    """Every case, after its time has come."""
    with ThreadPoolExecutor(2) as pool:
        tasks = {case: pool.submit(start, case, machine) for case in CASES}
    hosts = [task.result().host for task in tasks.values() if task.exception() is None]
    try:
        found = {case: task.result() for case, task in tasks.items()}
        for case, one in found.items():
            # What apply ended with is a test's matter; nothing fires after one that failed.
            if one.applied.returncode == 0:
                wait = partial(one.host.exists, LOG)
                one.host.wait_until(wait, PATIENCE, f"the run of {case} without systemd")
        yield found
    finally:
        for host in hosts:
            host.close()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_apply_by_itself_renews_and_serves(
    started: dict[Case, Started], case: Case, transcript: Keep
) -> None:
    one = started[case]
    host, schedule = one.host, case.schedule
    transcript(host.run(["ps", "axf"]), "ps axf")
    transcript(host.run(["cat", PLAN]), f"cat {PLAN}")
    transcript(one.applied, f"certtui apply {PLAN}  # {case}")
    assert one.applied.returncode == 0
    check_scripts(host, schedule.scripts, transcript)
    for name in server.NAMES:
        assert [
            line for line in one.applied.stdout.splitlines() if line.split()[:2] == [name, "ok"]
        ]

    transcript(host.run(["cat", LOG]), f"cat {LOG}")
    ((_, trigger, result, *_),) = [line.split() for line in host.read(LOG).splitlines()]
    assert (trigger, result) == ("at" if schedule.uses_at else "cron", "ok")
    fresh = server.on_disk(host, server.DUE)
    assert fresh != one.served
    host.wait_until(lambda: server.served(host, server.DUE) == fresh, 20, "the new certificate")
    transcript(host.run(["cat", CALLS]), f"cat {CALLS}")
    assert host.read(CALLS).splitlines()[-1] == f"{case.web.service} {case.action}"
    kept = case.web.main_process(host) == one.main
    assert kept == (case.action == "reload")
    assert not host.exists("/var/lib/certtui/pending-deploy")
    assert server.mails_taken(host) == 0

    # at-block's next job waits for the next block to begin.
    jobs = int(schedule.backend == "at-random")
    assert len(at.queued(host)) == len(at.ours(host, schedule.at_script)) == jobs
    for arguments in (("apply", "--no-dry-run"), ("diff",)):
        done = host.certtui(*arguments)
        transcript(done, f"certtui {' '.join(arguments)}")
        assert done.returncode == 0
    removed = host.certtui("remove")
    transcript(removed, "certtui remove")
    assert removed.returncode == 0
    assert at.queued(host) == []
    assert settled(host.listing()) == settled(one.listing)


def settled(listing: dict[str, Any]) -> dict[str, Any]:
    """Without what a renewal changes: certbot's folder, but for its hooks."""
    hooks = "/etc/letsencrypt/renewal-hooks"
    return {
        path: what
        for path, what in listing.items()
        if not path.startswith("/etc/letsencrypt/") or path.startswith(hooks)
    }


def test_a_server_that_a_restart_ends_is_told_and_started(
    machine: Machines, transcript: Keep
) -> None:
    host = machine(web=APACHE)
    try:
        boot(host, APACHE)
        applied(host, CRON, web=APACHE, action="restart")
        ended_and_started(host, APACHE, transcript)
    finally:
        host.close()
