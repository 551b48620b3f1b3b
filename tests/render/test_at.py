"""The at scripts, each start on its own: what is taken, what is queued, what is left alone.

The simulation (``test_simulation.py``) runs them through days; here are the single rules.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from certtui.render import times
from tests.render.at_machine import NOW, AtMachine
from tests.render.support import MORE, TOOLS, plan


@pytest.fixture(params=["dash", "busybox sh"])
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[AtMachine]:
    made = AtMachine(tmp_path / "m", tuple(request.param.split()), tools=(*TOOLS, *MORE))
    yield made
    made.clear()


@pytest.mark.parametrize("backend", ["at-block", "at-random"])
@pytest.mark.parametrize("runs", [1, 2, 7, 24])
def test_a_fresh_host_queues_the_slot_that_python_tells(
    machine: AtMachine, backend: str, runs: int
) -> None:
    machine.prepare(
        schedule_backend=backend, schedule_runs_per_day=runs, schedule_daily_cap=max(runs, 10)
    )
    for hour in range(0, 48, 5):
        machine.now = NOW + timedelta(hours=hour, minutes=hour)
        assert machine.at("systemd-timer", "queue") == ""
        expected = times.expected_job(plan(**machine.answers), machine.known, machine.now)
        assert expected is not None or backend == "at-block"
        if expected is not None:
            assert machine.calls()[-1] == f"-M -q c -t {expected:%Y%m%d%H%M}"
            assert len(machine.jobs()) == 1
    assert machine.renewed() == []


def test_the_job_is_one_line_from_a_clean_environment(machine: AtMachine) -> None:
    machine.prepare()
    machine.at("cron", SECRET="s3cret", TZ="Asia/Tokyo")
    (number,) = machine.jobs()
    job = (machine.queue / number).read_text()
    slot = machine.drawn.time(machine.next_slot())
    assert job.endswith(f"cd / || {{\n exit 1\n}}\nexec {machine.at_script} </dev/null\n")
    names = {line.split("=")[0] for line in job.splitlines() if "; export " in line}
    assert names - {"PWD"} == {"PATH", "TZ", "CERTTUI_TRIGGER", "CERTTUI_SLOT"}
    assert f"CERTTUI_SLOT={slot}; export" in job
    assert "CERTTUI_TRIGGER=at; export" in job
    assert "TZ=UTC0; export" in job
    assert (machine.queue / "umask").read_text() == "0022\n"


@pytest.mark.parametrize("backend", ["at-block", "at-random"])
def test_a_due_slot_is_renewed_once_whoever_comes_first(machine: AtMachine, backend: str) -> None:
    machine.prepare(schedule_backend=backend)
    machine.at("cron", "queue")
    machine.to_slot(machine.next_slot())
    slot = str(machine.drawn.minute(machine.now))
    machine.at("at", CERTTUI_SLOT=slot)
    assert machine.renewed() == ["at"]
    machine.at("cron")
    machine.at("at", CERTTUI_SLOT=slot)
    machine.now += timedelta(minutes=20)
    machine.at("systemd-timer")
    assert machine.renewed() == ["at"]
    assert machine.code == 0


def test_what_was_missed_is_made_up_for_once(machine: AtMachine) -> None:
    machine.prepare()
    machine.at("cron", "queue")
    machine.now += timedelta(days=9, minutes=3)
    for _ in range(3):
        assert machine.at("cron") == ""
    assert machine.renewed() == ["cron"]
    assert len(machine.jobs()) == 1


def test_queue_never_renews(machine: AtMachine) -> None:
    machine.prepare()
    machine.at("manual", "queue")
    following = machine.next_slot()
    machine.to_slot(following)
    machine.at("manual", "queue")
    assert machine.slots_queued() == [machine.drawn.time(following + 1)]
    machine.now += timedelta(days=2)
    machine.at("manual", "queue")
    assert machine.renewed() == []
    machine.at("cron")
    assert machine.renewed() == ["cron"]


def test_a_lost_job_comes_back_and_a_second_one_goes(machine: AtMachine) -> None:
    machine.prepare()
    machine.at("cron")
    (first,) = machine.jobs()
    subprocess.run([machine.folder / "bin/atrm", first], env={"PATH": "/usr/bin:/bin"}, check=True)
    assert machine.jobs() == []
    machine.at("cron")
    (second,) = machine.jobs()
    content = (machine.queue / second).read_text()
    (machine.queue / "99").write_text(content)
    with (machine.queue / "list").open("a") as listed:
        listed.write("99 Tue Nov 24 12:00:00 2026 c root\n")
    machine.at("cron")
    assert machine.jobs() == [second]


def test_a_plan_with_another_queue_or_count_moves_the_job(machine: AtMachine) -> None:
    machine.prepare()
    machine.at("manual", "queue")
    for answers in ({"schedule_at_queue": "f"}, {"schedule_runs_per_day": 9}):
        machine.prepare(**answers)
        machine.at("manual", "queue")
        assert machine.slots_queued() == [machine.drawn.time(machine.next_slot())]
        assert machine.calls()[-1].startswith(f"-M -q {answers.get('schedule_at_queue', 'c')} ")


def test_the_job_of_a_block_is_queued_when_the_block_begins(machine: AtMachine) -> None:
    machine.prepare(schedule_backend="at-block")
    machine.at("systemd-timer")
    k = machine.drawn.at(machine.drawn.minute(machine.now)) + 1
    machine.now = machine.drawn.moment(machine.drawn.start(k) - 1)
    machine.at("systemd-timer")
    assert all(slot < machine.drawn.start(k) for slot in machine.slots_queued())
    machine.now += timedelta(minutes=1)
    machine.at("systemd-timer")
    assert machine.slots_queued() == [machine.drawn.time(k)]
    machine.to_slot(k)
    machine.at("at", CERTTUI_SLOT=str(machine.drawn.time(k)))
    assert machine.slots_queued() == []


def test_a_start_that_outlives_its_script_queues_nothing(machine: AtMachine) -> None:
    """It may have waited for the lock while `certtui remove` took the script away."""
    machine.prepare()
    elsewhere = machine.folder / "opened"
    machine.at_script.rename(elsewhere)
    done = machine.run(elsewhere, trigger="cron")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.jobs() == []
    assert not (machine.state / "at-state").exists()


def test_jobs_of_others_are_no_reason_and_stay(machine: AtMachine) -> None:
    machine.prepare()
    foreign = {
        "50": "c root\tx",
        "51": "= root",  # one that runs
        "52": "c admin",
        "53": "c root",
    }
    machine.at("cron")
    (ours,) = machine.jobs()
    own = (machine.queue / ours).read_text()
    (machine.queue / "50").write_text(
        "#!/bin/sh\nCERTTUI_SLOT=1; export CERTTUI_SLOT\nexec other\n"
    )
    (machine.queue / "51").write_text(own)
    (machine.queue / "52").write_text(own)
    # An administrator's own start of the script: without our mark.
    (machine.queue / "53").write_text(f"#!/bin/sh\nexec {machine.at_script} </dev/null\n")
    with (machine.queue / "list").open("a") as listed:
        for number, rest in foreign.items():
            listed.write(f"{number} Tue Nov 24 12:00:00 2026 {rest.split(chr(9))[0]}\n")
    machine.at("cron")
    assert machine.jobs() == [ours, *foreign]


def test_racing_starts_leave_one_job_and_one_run(machine: AtMachine) -> None:
    machine.prepare()
    machine.at("cron", "queue")
    machine.to_slot(machine.next_slot())
    machine.at("manual", "queue")
    started = [
        subprocess.Popen(
            [machine.program, *machine.shell[1:], str(machine.at_script)],
            env={**machine.environment, "CERTTUI_TRIGGER": "cron"},
        )
        for _ in range(4)
    ]
    assert [one.wait(30) for one in started] == [0] * 4
    assert machine.renewed() == ["cron"]
    assert len(machine.jobs()) == 1


def test_the_daily_cap_holds_and_is_told(machine: AtMachine) -> None:
    machine.prepare(schedule_runs_per_day=2, schedule_daily_cap=2)
    machine.now = NOW.replace(hour=0, minute=0) - timedelta(minutes=1)
    machine.at("cron", "queue")
    first = machine.next_slot()
    # The slot before is made up for on this day, so the day's second one is the third run.
    before = machine.drawn.time(first - 1) - 1
    (machine.state / "at-state").write_text(f"slot={before}\nday={before // 1440}\nruns=2\n")
    for k in (first - 1, first, first + 1):
        machine.to_slot(k) if k >= first else setattr(machine, "now", NOW.replace(hour=0, minute=0))
        machine.at("at")
    assert machine.renewed() == ["at", "at"]
    assert "no run for this slot: the day has had its 2 runs" in machine.syslog()
    machine.to_slot(first + 2)
    machine.at("at")
    assert machine.renewed() == ["at"] * 3


def test_a_lost_state_forgets_no_job_and_starts_no_burst(machine: AtMachine) -> None:
    machine.prepare()
    machine.at("cron")
    machine.to_slot(machine.next_slot())
    slot = str(machine.drawn.minute(machine.now))
    (machine.state / "at-state").unlink()
    machine.at("at", CERTTUI_SLOT=slot)
    assert machine.renewed() == ["at"]
    for damage in (
        "",
        "slot=abc\n",
        "slot=-1\nruns=x\n",
        "\0\0\n",
        "slot=0012\n",
        f"slot={9**20}\n",
    ):
        (machine.state / "at-state").write_text(damage)
        assert machine.at("cron") == ""
        assert machine.taken() == int(slot)
    assert machine.renewed() == ["at"]


@pytest.mark.parametrize("days", [3, 400])
def test_a_clock_that_was_far_ahead_does_not_stop_the_chain(machine: AtMachine, days: int) -> None:
    machine.prepare()
    machine.now = NOW + timedelta(days=days)
    machine.at("cron")
    machine.now = NOW
    machine.at("cron")
    machine.to_slot(machine.next_slot())
    machine.at("at", CERTTUI_SLOT=str(machine.drawn.minute(machine.now)))
    assert machine.renewed() == ["at"]
    assert len(machine.jobs()) == 1


def test_a_clock_set_back_a_little_repeats_nothing(machine: AtMachine) -> None:
    machine.prepare()
    machine.at("cron")
    following = machine.next_slot() + 1
    machine.to_slot(following - 1)
    machine.at("at", CERTTUI_SLOT=str(machine.drawn.minute(machine.now)))
    machine.now -= timedelta(minutes=50)
    for _ in range(6):
        machine.now += timedelta(minutes=10)
        machine.at("cron")
        assert machine.slots_queued() == [machine.drawn.time(following)]
    assert machine.renewed() == ["at"]


def test_a_job_that_at_refuses_is_told_once_by_mail_of_cron(machine: AtMachine) -> None:
    machine.prepare()
    (machine.queue / "refuses").touch()
    assert "certbot-at-random: at did not take the next job: at: refused" in machine.at("cron")
    assert machine.code == 1
    assert machine.at("cron") == ""
    assert machine.code == 1
    assert machine.syslog().count("at did not take the next job") == 2
    # The slot is run all the same.
    machine.now += timedelta(days=1)
    machine.at("cron")
    assert machine.renewed() == ["cron"]
    (machine.queue / "refuses").unlink()
    assert (machine.at("cron"), machine.code) == ("", 0)
    (machine.queue / "refuses").touch()
    (machine.queue / "list").unlink()
    assert "at did not take" in machine.at("cron")


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("at", "at did not take the next job"),
        ("atq", "atq does not answer: is the package at installed?"),
        ("sha256sum", "sha256sum does not work"),
        ("flock", "the lock cannot be had (it needs flock, of util-linux)"),
    ],
)
def test_a_missing_program_is_named(machine: AtMachine, program: str, sentence: str) -> None:
    machine.prepare()
    (machine.folder / "bin" / program).unlink()
    assert sentence in machine.at("systemd-timer")
    assert machine.code == 1
    assert sentence in machine.syslog()


def test_an_unknown_argument_does_nothing(machine: AtMachine) -> None:
    machine.prepare()
    assert "usage: " in machine.at("manual", "--help")
    assert (machine.code, machine.jobs(), machine.state.exists()) == (64, [], False)


def test_at_that_fails_after_its_words_has_failed(machine: AtMachine) -> None:
    machine.prepare()
    machine.fake("at", "printf 'warning\\njob 5 at some time\\n' >&2; exit 1")
    assert "at did not take the next job: warning job 5" in machine.at("systemd-timer")
    assert machine.code == 1


def test_the_state_is_for_root_alone(machine: AtMachine) -> None:
    machine.prepare()
    machine.at("cron")
    modes = {path.name: path.stat().st_mode & 0o777 for path in machine.state.iterdir()}
    assert modes == {"at-state": 0o600, "at-lock": 0o600}
    assert machine.state.stat().st_mode & 0o777 == 0o700


def test_what_cannot_be_noted_is_left_to_its_job(machine: AtMachine) -> None:
    machine.prepare()
    machine.at("cron")
    machine.to_slot(machine.next_slot())
    (machine.state / "at-state.new").mkdir()
    for _ in range(3):
        assert f"{machine.state}/at-state cannot be written" in machine.at("cron")
    assert machine.renewed() == []
    machine.at("at", CERTTUI_SLOT=str(machine.drawn.minute(machine.now)))
    assert machine.renewed() == ["at"]


@pytest.mark.parametrize(
    ("zone", "now"),
    [
        (zone, now)
        for zone in ("IST-5:30", "NST3:30NDT,M3.2.0,M11.1.0", "CET-1CEST,M3.5.0,M10.5.0/3", "UTC0")
        for now in (NOW, NOW.replace(month=3, day=29, hour=0), NOW.replace(month=10, day=24))
    ],
)
def test_a_block_that_cron_begins_has_its_job_at_the_local_minute(
    machine: AtMachine, monkeypatch: pytest.MonkeyPatch, zone: str, now: datetime
) -> None:
    machine.prepare(schedule_backend="at-block", schedule_trigger="cron", schedule_runs_per_day=1)
    machine.zone = zone
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        machine.now = machine.drawn.moment(
            machine.drawn.start(machine.drawn.at(machine.drawn.minute(now)))
        )
        # A caller's zone, as an at job's, does not count.
        assert machine.at("cron", TZ="XYZ-9:41") == ""
        expected = times.expected_job(plan(**machine.answers), machine.known, machine.now)
        assert expected is not None
        assert machine.calls() == [f"-M -q c -t {expected:%Y%m%d%H%M}"]
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("backend", ["at-block", "at-random"])
def test_the_job_of_a_fire_drill_takes_no_slot(machine: AtMachine, backend: str) -> None:
    machine.prepare(schedule_backend=backend)
    machine.at("cron")
    state, jobs = (machine.state / "at-state").read_text(), machine.jobs()
    machine.now = NOW + timedelta(days=2)  # a slot is due
    machine.at("at", CERTTUI_DRILL="0123456789abcdef")
    assert machine.renewed() == ["at 0123456789abcdef"]
    assert ((machine.state / "at-state").read_text(), machine.jobs()) == (state, jobs)
    machine.at("cron")
    assert len(machine.renewed()) == 2
