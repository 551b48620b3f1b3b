"""The at backends fire by themselves: real trigger, real job, real atd, nobody helping.

A machine id is chosen whose next slot is two to three minutes ahead. All hosts are booted first and
wait together; on half of them atd is stopped when the slot comes, until the anchor has come.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest

from tests.host import at, server
from tests.host.machine import Machine
from tests.host.schedules import AT, LOG, Schedule, applied, soon
from tests.host.web import APACHE, NGINX, Web

Machines = Callable[..., Machine]
Keep = Callable[[subprocess.CompletedProcess[str], str], None]

WAITS = True

#: Seconds: up to three minutes until the slot, one of random wait, and the run.
PATIENCE = 300


def web(schedule: Schedule) -> Web:
    """Both servers are told by both scripts."""
    return APACHE if schedule in (AT[0], AT[3]) else NGINX


@dataclass(frozen=True)
class Chain:
    """A host on which a job is queued, and what it served before."""

    host: Machine
    schedule: Schedule
    job: at.Job
    before: dict[str, str]
    outage: bool

    def wait(self) -> None:
        """Until the slot has passed, and what runs it has."""
        if not self.outage:
            wait = partial(self.host.exists, LOG)
            self.host.wait_until(wait, PATIENCE, f"the job of {self.schedule}")
            return
        # The whole minute, so that a job that should not run has its time.
        time.sleep(max(0.0, self.job.when.timestamp() + 60 - time.time()))
        assert not self.host.exists(LOG)
        at.anchor(self.host, self.schedule)


Chains = dict[tuple[Schedule, bool], Chain]


def start(machine: Machines, schedule: Schedule, outage: bool, made: list[Machine]) -> Chain:
    """Boots a host whose slot is near and applies a plan; ``outage`` stops atd afterwards."""
    plan = server.plan(schedule.backend, trigger=schedule.trigger, web=web(schedule))
    host = machine(soon(plan), web=web(schedule))
    made.append(host)
    host.boot()
    server.new_account(host)
    before = {name: server.served(host, name) for name in server.NAMES}
    applied(host, schedule, web=web(schedule))
    (job,) = at.ours(host, schedule.at_script)
    if outage:
        host.run(["systemctl", "stop", "atd"])
    return Chain(host, schedule, job, before, outage)


@pytest.fixture(scope="module")
def chains(machine: Machines) -> Iterator[Chains]:
    """Each schedule with and without atd, after its slot."""
    made: list[Machine] = []
    cases = [(schedule, outage) for outage in (False, True) for schedule in AT]
    try:
        with ThreadPoolExecutor(2) as pool:
            tasks = {case: pool.submit(start, machine, *case, made) for case in cases}
        found = {case: task.result() for case, task in tasks.items()}
        # Side by side, as runs that cron or at starts wait for a random part of a minute.
        with ThreadPoolExecutor(len(found)) as pool:
            for waited in [pool.submit(chain.wait) for chain in found.values()]:
                waited.result()
        yield found
    finally:
        for host in made:
            host.close()


def runs(host: Machine, keep: Keep) -> list[list[str]]:
    """Trigger and result of every line of the log."""
    keep(host.run(["cat", LOG]), f"cat {LOG}")
    return [line.split()[1:3] for line in host.read(LOG).splitlines()]


def show(title: str, *lines: object) -> tuple[subprocess.CompletedProcess[str], str]:
    """For a transcript: what no command printed."""
    text = "".join(f"{line}\n" for line in lines)
    return subprocess.CompletedProcess([], 0, text, ""), title


@pytest.mark.parametrize("schedule", AT, ids=str)
def test_the_due_certificate_is_renewed_and_served(
    chains: Chains, schedule: Schedule, transcript: Keep
) -> None:
    chain = chains[schedule, False]
    host = chain.host
    transcript(*show("at -c, the end", chain.job.when, *chain.job.text.splitlines()[-6:]))
    assert runs(host, transcript) == [["at", "ok"]]
    fresh = server.on_disk(host, server.DUE)
    assert fresh != chain.before[server.DUE]
    host.wait_until(lambda: server.served(host, server.DUE) == fresh, 10, "the new certificate")
    said = (f"before: {chain.before[server.DUE]}", f"served: {fresh}")
    transcript(*show(f"{server.DUE} on 127.0.0.1:443, {web(schedule).kind}", *said))
    other = next(name for name in server.NAMES if name != server.DUE)
    assert server.served(host, other) == chain.before[other]
    assert not host.exists("/var/lib/certtui/pending-deploy")
    assert server.mails_taken(host) == 0

    # The chain goes on with the job of the next slot; a block's next job comes with the next block.
    transcript(host.run(["atq"]), "atq")
    jobs = at.ours(host, schedule.at_script)
    assert len(jobs) == int(schedule.backend == "at-random")
    assert all(job.when > chain.job.when for job in jobs)


@pytest.mark.parametrize("schedule", AT, ids=str)
def test_the_anchor_runs_a_slot_that_atd_missed_once(
    chains: Chains, schedule: Schedule, transcript: Keep
) -> None:
    chain = chains[schedule, True]
    host = chain.host
    assert chain.job.number not in [job.number for job in at.queued(host)]
    by_anchor = [["cron" if schedule.uses_cron else "systemd-timer", "ok"]]
    assert runs(host, transcript) == by_anchor
    assert server.served(host, server.DUE) == server.on_disk(host, server.DUE)
    assert server.on_disk(host, server.DUE) != chain.before[server.DUE]

    transcript(at.anchor(host, schedule), f"the anchor of {schedule}, again")
    host.run(["systemctl", "start", "atd"])
    time.sleep(3)  # atd runs what is overdue as it starts
    transcript(host.run(["atq"]), "atq  # atd is back")
    assert runs(host, transcript) == by_anchor
    assert len(at.ours(host, schedule.at_script)) == int(schedule.backend == "at-random")
    assert server.mails_taken(host) == 0
