"""The numbers of ``test_defects.py`` that concern at(1): a chain of jobs that renews for ever."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certtui.change.requirements import lacking
from certtui.host.facts import Service
from certtui.host.interface import RealHost
from certtui.plan import fields
from certtui.render import build, times
from certtui.render.places import Places
from tests.render.at_machine import NOW, AtMachine
from tests.render.support import facts, plan

BOTH = pytest.mark.parametrize("backend", ["at-block", "at-random"])


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[AtMachine]:
    """A machine with an at of files; certbot finds nothing due."""
    made = AtMachine(tmp_path / "m")
    made.certbot("exit 0")
    yield made
    made.clear()


def job(machine: AtMachine) -> str:
    """The text of the one job in the queue."""
    (number,) = machine.jobs()
    return (machine.queue / number).read_text()


def scripts(**answers: Any) -> dict[str, str]:
    rendered = build.render(plan(**answers), facts(), plan_text=b"")
    return {
        artifact.path: artifact.content.decode()
        for artifact in rendered.artifacts
        if artifact.content.startswith(b"#!")
    }


@BOTH
def test_defect_01_the_moment_is_computed_and_checked(machine: AtMachine, backend: str) -> None:
    """The generator gave nothing: "Garbled time", exit 0, and no renewal was ever queued."""
    machine.prepare(schedule_backend=backend)
    machine.now = machine.drawn.moment(machine.drawn.time(machine.next_slot()) - 1)
    assert machine.at("cron", "queue") == ""
    expected = times.expected_job(plan(**machine.answers), machine.known, machine.now)
    assert expected is not None
    assert machine.calls() == [f"-M -q c -t {expected:%Y%m%d%H%M}"]


@pytest.mark.parametrize("says", ["echo 'Garbled time' >&2; exit 0", "exit 0", "exit 1"])
def test_defect_01_an_at_that_queues_nothing_is_a_failure(machine: AtMachine, says: str) -> None:
    machine.prepare()
    machine.fake("at", says)
    assert "certbot-at-random: at did not take the next job" in machine.at("cron")
    assert machine.code == 1
    assert "at did not take the next job" in machine.syslog()


@BOTH
def test_defect_02_the_job_is_for_any_sh_and_only_starts_a_path(
    machine: AtMachine, backend: str
) -> None:
    """Jobs in bash: at gives them to /bin/sh, and the chain died at its first hop."""
    machine.prepare(schedule_backend=backend)
    slot = machine.next_slot()
    machine.now = machine.drawn.moment(machine.drawn.time(slot) - 1)
    machine.at("cron")
    text = job(machine)
    machine.to_slot(slot)
    machine.at("manual", "queue")  # sets the clock, and takes no slot
    assert text.splitlines()[-1] == f"exec {machine.at_script} </dev/null"
    done = subprocess.run(
        ["dash"], input=text, capture_output=True, text=True, env={}, cwd="/", timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.renewed() == ["at"]


@BOTH
def test_defect_03_two_scripts_and_the_one_calls_certbot(machine: AtMachine, backend: str) -> None:
    """Both had one path: it queued itself for ever and never renewed."""
    machine.prepare(schedule_backend=backend)
    machine.install(machine.known, **machine.answers)  # the real renew script
    assert machine.at_script != machine.script
    machine.at("cron")
    assert machine.ran("certbot") == []
    machine.to_slot(machine.next_slot())
    machine.at("at", CERTTUI_SLOT=str(machine.drawn.minute(machine.now)))
    assert len(machine.ran("certbot")) == 1
    assert machine.results() == ["ok"]
    assert machine.runs()[0].split(" ")[1] == "at"


@BOTH
def test_defect_16_nothing_depends_on_the_scripts_name_or_on_run(
    machine: AtMachine, backend: str
) -> None:
    """State in /var/run was lost at a reboot, and $0 is "sh" in an at job."""
    machine.prepare(schedule_backend=backend)
    machine.at("cron", "queue")
    machine.to_slot(machine.next_slot())
    machine.at("manual", "queue")  # sets the clock, and takes no slot
    done = subprocess.run(
        [machine.program, "-s"],
        input=machine.at_script.read_text(),
        env={**machine.environment, "CERTTUI_TRIGGER": "cron"},
        capture_output=True,
        text=True,
        cwd="/proc",
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.renewed() == ["cron"]
    assert {line for line in machine.calls() if " -t " not in line} == set()
    assert Places().state == "/var/lib/certtui"
    for path, text in scripts(schedule_backend=backend).items():
        assert not re.search(r'"\$\{?0', text), path
        assert "/run/" not in text, path


def test_defect_17_the_cap_counts_each_day_on_its_own(machine: AtMachine) -> None:
    """The count went on over midnight: ten runs, then a cycle that was skipped."""
    machine.prepare(schedule_runs_per_day=10, schedule_daily_cap=10)
    machine.now = NOW.replace(hour=0, minute=0) - timedelta(minutes=1)
    machine.at("cron", "queue")
    days: dict[str, int] = {}
    for slot in range(machine.next_slot(), machine.next_slot() + 30):
        machine.to_slot(slot)
        before = len(machine.renewed())
        machine.at("at", CERTTUI_SLOT=str(machine.drawn.minute(machine.now)))
        day = f"{machine.now:%F}"
        days[day] = days.get(day, 0) + len(machine.renewed()) - before
    assert list(days.values()) == [10, 10, 10]
    assert "no run for this slot" not in machine.syslog()


def test_defect_18_others_jobs_do_not_count_and_a_running_one_does_not_confuse(
    machine: AtMachine,
) -> None:
    """A foreign job blocked renewal; a running job is not listed; four starts left four jobs."""
    machine.prepare()
    (machine.queue / "70").write_text("#!/bin/sh\nexec /usr/local/bin/backup </dev/null\n")
    listed = machine.queue / "list"
    listed.write_text("70 Tue Nov 24 13:00:00 2026 c root\n71 Tue Nov 24 12:00:00 2026 = root\n")
    started = [
        subprocess.Popen(
            [machine.program, str(machine.at_script)],
            env={**machine.environment, "CERTTUI_TRIGGER": "cron"},
        )
        for _ in range(4)
    ]
    assert [one.wait(30) for one in started] == [0] * 4
    assert machine.jobs()[:2] == ["70", "71"]
    assert len(machine.jobs()) == 3


def test_defect_19_the_queue_is_a_low_letter(machine: AtMachine) -> None:
    """Queues y and z: nice 19 and more."""
    assert fields.BY_KEY["schedule.at_queue"].default == "c"
    machine.prepare()
    machine.at("cron")
    assert " -q c " in machine.calls()[0]


def test_defect_20_at_mails_nothing_of_its_own(machine: AtMachine) -> None:
    """at mailed a warning at each hop."""
    machine.prepare()
    assert machine.at("cron") == ""
    assert machine.calls()[0].startswith("-M ")
    machine.to_slot(machine.next_slot())
    assert machine.at("at", CERTTUI_SLOT=str(machine.drawn.minute(machine.now))) == ""


@BOTH
def test_defect_21_atd_is_looked_for_and_its_runs_are_made_up_for(
    machine: AtMachine, backend: str
) -> None:
    """at exits 0 without atd, and jobs that are overdue all run together when it starts."""
    stopped = replace(facts(), atd=Service("atd", True, "atd.service", True, False))
    found = lacking(plan(schedule_backend=backend), stopped, RealHost())
    assert any("needs atd, which does not run" in lack.message for lack in found)

    machine.prepare(schedule_backend=backend)
    machine.now = machine.drawn.moment(machine.drawn.time(machine.next_slot()) - 1)
    machine.at("cron")
    (slot,) = re.findall(r"CERTTUI_SLOT=(\d+);", job(machine))
    machine.now += timedelta(days=2)
    machine.at("cron")
    assert machine.renewed() == ["cron"]
    # And now atd starts: what it had kept finds its slot taken.
    machine.at("at", CERTTUI_SLOT=slot)
    assert machine.renewed() == ["cron"]


@pytest.mark.parametrize("hasher", [True, False])
def test_defect_22_no_openssl_and_no_silence_without_a_hash(
    machine: AtMachine, hasher: bool
) -> None:
    """openssl was missing: the chain exited 0 with nothing queued."""
    machine.prepare()
    assert not (machine.folder / "bin/openssl").exists()
    if hasher:
        assert machine.at("cron") == ""
        assert len(machine.jobs()) == 1
    else:
        (machine.folder / "bin/sha256sum").unlink()
        assert "sha256sum does not work" in machine.at("cron")
        assert machine.code == 1
