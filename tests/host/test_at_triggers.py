"""What starts the at scripts is real: cron's own line and the timer's own time, nobody helping.

For at-block a machine id is chosen whose next block begins in two to three minutes, with its slot
right behind; for at-random one whose anchor comes then. All hosts are booted first and wait
together.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial

import pytest

from tests.host import at, server
from tests.host.machine import Machine
from tests.host.schedules import AT, LOG, Schedule, applied, trigger_soon

Machines = Callable[..., Machine]
Keep = Callable[[subprocess.CompletedProcess[str], str], None]

WAITS = True

#: Seconds that cron and systemd may take after their minute has begun, on a host with much to do.
LATE = 45
#: Seconds: two minutes until the slot at most, one of random wait, and the run.
PATIENCE = 300

BLOCKS = [schedule for schedule in AT if schedule.backend == "at-block"]
ANCHORS = [schedule for schedule in AT if schedule.backend == "at-random"]


@dataclass
class Waiting:
    """A host whose trigger is near, and what was seen as it came."""

    host: Machine
    schedule: Schedule
    trigger: datetime
    slot: datetime
    before: dict[str, str]
    queue_before: list[at.Job] = field(default_factory=list)
    queue_after: list[at.Job] = field(default_factory=list)
    seen: datetime | None = None

    def wait(self) -> None:
        """Takes the job away, waits for the trigger's, and for a block until that has run."""
        # Not sooner: the timer also elapses a minute after boot (OnBootSec).
        time.sleep(max(0.0, self.trigger.timestamp() - 15 - time.time()))
        for job in at.ours(self.host, self.schedule.at_script):
            self.host.run(["atrm", job.number])
        # Up to the last second before it: what comes earlier is not the trigger's doing.
        time.sleep(max(0.0, self.trigger.timestamp() - 2 - time.time()))
        self.queue_before = at.queued(self.host)
        assert datetime.now(timezone.utc) < self.trigger, "the host was ready too late"
        self.host.wait_until(self._came, LATE + 5, f"the trigger of {self.schedule}")
        if self.schedule in BLOCKS:
            wait = partial(self.host.exists, LOG)
            self.host.wait_until(wait, PATIENCE, f"the job of {self.schedule}")

    def _came(self) -> bool:
        self.queue_after = at.ours(self.host, self.schedule.at_script)
        self.seen = datetime.now(timezone.utc)
        return bool(self.queue_after)


def start(machine: Machines, schedule: Schedule, made: list[Machine]) -> Waiting:
    """Boots a host whose trigger is near and applies a plan."""
    host = machine()
    made.append(host)
    # Chosen once the host is made: the first of them takes a while.
    machine_id, trigger, slot = trigger_soon(schedule)
    host.write("/etc/machine-id", f"{machine_id}\n")
    host.boot()
    server.new_account(host)
    before = {name: server.served(host, name) for name in server.NAMES}
    applied(host, schedule)
    jobs = at.ours(host, schedule.at_script)
    # The block before is over; at-random always has its next job.
    assert len(jobs) == int(schedule in ANCHORS)
    assert all(job.when == slot for job in jobs)
    return Waiting(host, schedule, trigger, slot, before)


@pytest.fixture(scope="module")
def waiting(machine: Machines) -> Iterator[dict[Schedule, Waiting]]:
    """Each schedule, after its trigger has come."""
    made: list[Machine] = []
    try:
        with ThreadPoolExecutor(2) as pool:
            tasks = {schedule: pool.submit(start, machine, schedule, made) for schedule in AT}
        found = {schedule: task.result() for schedule, task in tasks.items()}
        with ThreadPoolExecutor(len(found)) as pool:
            for waited in [pool.submit(one.wait) for one in found.values()]:
                waited.result()
        yield found
    finally:
        for host in made:
            host.close()


def keep_what_came(one: Waiting, keep: Keep) -> None:
    """Checks that the trigger, and nothing before it, queued exactly the expected job."""
    lines = (
        f"trigger: {one.trigger}",
        f"queued before: {[job.number for job in one.queue_before]}",
        f"seen: {one.seen}",
        *(f"job {job.number}: {job.when}" for job in one.queue_after),
    )
    text = "".join(f"{line}\n" for line in lines)
    keep(subprocess.CompletedProcess([], 0, text, ""), f"atq  # {one.schedule}, watched")
    assert one.queue_before == []
    assert one.seen is not None
    assert one.trigger <= one.seen < one.trigger + timedelta(seconds=LATE)
    assert [job.when for job in one.queue_after] == [one.slot]


@pytest.mark.parametrize("schedule", BLOCKS, ids=str)
def test_a_block_that_begins_queues_its_job_and_atd_renews(
    waiting: dict[Schedule, Waiting], schedule: Schedule, transcript: Keep
) -> None:
    one = waiting[schedule]
    host = one.host
    keep_what_came(one, transcript)
    shown = host.run(["cat", LOG])
    transcript(shown, f"cat {LOG}")
    (words,) = [line.split() for line in shown.stdout.splitlines()]
    assert words[1:3] == ["at", "ok"]
    ended = datetime.strptime(words[0], "%Y-%m-%dT%H:%M:%S%z")
    assert ended >= one.slot
    fresh = server.on_disk(host, server.DUE)
    assert fresh != one.before[server.DUE]
    host.wait_until(lambda: server.served(host, server.DUE) == fresh, 10, "the new certificate")
    said = f"before: {one.before[server.DUE]}\nserved: {fresh}\n"
    transcript(subprocess.CompletedProcess([], 0, said, ""), f"{server.DUE} on 127.0.0.1:443")
    assert at.ours(host, schedule.at_script) == []  # the next comes with the next block
    assert server.mails_taken(host) == 0


@pytest.mark.parametrize("schedule", ANCHORS, ids=str)
def test_the_hourly_anchor_brings_a_removed_job_back(
    waiting: dict[Schedule, Waiting], schedule: Schedule, transcript: Keep
) -> None:
    one = waiting[schedule]
    keep_what_came(one, transcript)
    assert not one.host.exists(LOG)  # it renewed nothing
    assert server.served(one.host, server.DUE) == one.before[server.DUE]
    assert server.mails_taken(one.host) == 0
