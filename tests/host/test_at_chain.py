"""The queue of the at backends heals: a lost job, starts that race, others' jobs, a reboot."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.host import at
from tests.host.machine import Machine
from tests.host.schedules import AT, LOG, Schedule, applied, quiet

Keep = Callable[[subprocess.CompletedProcess[str], str], None]


@pytest.fixture
def chain(new_host: Callable[..., Machine], schedule: Schedule) -> Machine:
    """A host whose slot is more than an hour away; its job is queued."""
    return applied(new_host(quiet(schedule)), schedule)


def only_job(host: Machine, schedule: Schedule) -> at.Job:
    (job,) = at.ours(host, schedule.at_script)
    return job


@pytest.mark.parametrize("schedule", AT, ids=str)
def test_a_removed_job_comes_back_with_the_anchor(
    chain: Machine, schedule: Schedule, transcript: Keep
) -> None:
    job = only_job(chain, schedule)
    transcript(chain.run(["atq"]), "atq")
    chain.run(["atrm", job.number])
    assert at.queued(chain) == []
    transcript(at.anchor(chain, schedule), f"atrm {job.number}; the anchor of {schedule}")
    transcript(chain.run(["atq"]), "atq")
    again = only_job(chain, schedule)
    assert (again.when, again.queue) == (job.when, job.queue)
    assert not chain.exists(LOG)


@pytest.mark.parametrize("schedule", AT, ids=str)
def test_racing_starts_leave_one_job(chain: Machine, schedule: Schedule, transcript: Keep) -> None:
    """Someone else's job neither counts as ours nor goes."""
    chain.run(["at", "-M", "-q", "c", "now + 2 days"], input="echo certbot-at-random\n")
    (foreign,) = [job for job in at.queued(chain) if job != only_job(chain, schedule)]
    when = only_job(chain, schedule).when
    race = f"for start in 1 2 3 4; do {schedule.at_script} & done; wait"
    for _ in range(3):
        chain.run(["atrm", only_job(chain, schedule).number])
        chain.run(["sh", "-c", race])
        transcript(chain.run(["atq"]), f"atrm ...; {race}; atq")
        assert only_job(chain, schedule).when == when
        assert [job.number for job in at.queued(chain) if "CERTTUI_SLOT" not in job.text] == [
            foreign.number
        ]
    assert not chain.exists(LOG)


@pytest.mark.parametrize("schedule", AT, ids=str)
def test_the_chain_is_alive_after_a_reboot(
    chain: Machine, schedule: Schedule, transcript: Keep
) -> None:
    job = only_job(chain, schedule)
    chain.reboot()
    transcript(chain.run(["atq"]), "systemctl reboot; atq")
    assert only_job(chain, schedule) == job

    # And one that is lost comes back with the start of the host.
    chain.run(["atrm", job.number])
    chain.reboot()
    if schedule.uses_cron:
        assert chain.run(["systemctl", "is-active", "cron"]).stdout == "active\n"
    else:
        argv = ["systemctl", "show", "-p", "ActiveState,NextElapseUSecRealtime"]
        shown = chain.run([*argv, "certtui-renew.timer"])
        transcript(shown, f"atrm {job.number}; systemctl reboot; {' '.join(argv)}")
        assert "ActiveState=active\n" in shown.stdout
        assert "NextElapseUSecRealtime=\n" not in shown.stdout
    chain.wait_until(lambda: at.ours(chain, schedule.at_script), 90, "the job to come back")
    transcript(chain.run(["atq"]), "atq")
    assert only_job(chain, schedule).when == job.when
    assert chain.run(["systemctl", "is-active", "atd"]).stdout == "active\n"
    assert not chain.exists(LOG)
