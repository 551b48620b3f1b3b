"""When runs happen: the same on every apply, other on every host, never in a clock's gap."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from certtui.render import spread, times
from certtui.render.times import Run
from tests.render.support import facts, plan, system

UTC = timezone.utc
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("backend", ["cron", "systemd-timer"])
@pytest.mark.parametrize("runs", range(1, 25))
def test_seed_27_runs_are_evenly_spread_over_the_day(backend: str, runs: int) -> None:
    minutes = times.daily_minutes(
        plan(schedule_backend=backend, schedule_runs_per_day=runs), facts()
    )
    assert len(set(minutes)) == runs
    assert minutes == tuple(sorted(minutes))
    assert all(0 <= minute < 1440 for minute in minutes)
    gaps = {
        (b - a) % 1440 or 1440 for a, b in zip(minutes, (*minutes[1:], minutes[0]), strict=True)
    }
    assert gaps <= {1440 // runs, 1440 // runs + 1}


def test_seed_27_hosts_and_units_differ() -> None:
    hosts = [facts(system=system(machine_id=f"{n:032x}")) for n in range(50)]
    found = {times.daily_minutes(plan(), host) for host in hosts}
    assert len(found) > 40
    assert times.daily_minutes(plan(files_unit="other"), facts()) != times.daily_minutes(
        plan(), facts()
    )
    assert len({times.second(plan(), host) for host in hosts}) > 20


def test_without_a_machine_id_the_name_counts() -> None:
    one = facts(system=system(machine_id=""))
    two = facts(system=system(machine_id="", hostname="web2.example.org"))
    assert times.daily_minutes(plan(), one) != times.daily_minutes(plan(), two)


def test_fixed_times_are_taken_as_they_are() -> None:
    fixed = plan(schedule_times=("23:59", "00:00", "08:30"))
    assert times.daily_minutes(fixed, facts()) == (0, 510, 1439)
    assert times.second(fixed, facts()) == times.random_delay(fixed) == 0


@pytest.mark.parametrize(
    ("runs", "delay"), [(1, 3600), (2, 3600), (12, 3600), (13, 3323), (24, 1800)]
)
def test_the_delay_is_an_hour_and_at_most_half_a_block(runs: int, delay: int) -> None:
    assert times.random_delay(plan(schedule_runs_per_day=runs)) == delay
    assert times.random_delay(plan(schedule_runs_per_day=runs, schedule_backend="cron")) == 0


def test_the_next_runs_of_a_timer_are_windows(berlin: None) -> None:
    runs = times.next_runs(plan(), facts(), NOW)
    assert len(runs) == 5
    assert all(run.latest - run.earliest == timedelta(hours=1) for run in runs)
    assert all(b.earliest - a.earliest == timedelta(hours=12) for a, b in itertools.pairwise(runs))
    assert runs[0].latest > NOW
    first = runs[0].earliest
    minute = times.daily_minutes(plan(), facts())
    assert first.hour * 60 + first.minute in minute
    assert first.second == times.second(plan(), facts())
    # Within the window the run may still be to come; after it, it is not.
    assert times.next_runs(plan(), facts(), first + timedelta(minutes=30))[0] == runs[0]
    assert times.next_runs(plan(), facts(), first + timedelta(hours=1))[0] == runs[1]


def test_a_window_over_midnight_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "number", lambda *_: 23 * 60 + 50)
    monkeypatch.setattr(times, "second", lambda *_: 0)
    once = plan(schedule_runs_per_day=1)
    (run,) = times.next_runs(once, facts(), datetime(2026, 11, 25, 0, 10, tzinfo=UTC), 1)
    assert run.earliest == datetime(2026, 11, 24, 23, 50, tzinfo=UTC)


def test_fixed_times_are_local_and_exact(berlin: None) -> None:
    chosen = plan(schedule_backend="cron", schedule_times=("08:30",))
    (run,) = times.next_runs(chosen, facts(), NOW, 1)
    assert run == Run(*[datetime(2026, 11, 25, 7, 30, tzinfo=UTC)] * 2)


@pytest.mark.parametrize(
    ("backend", "hours"),
    [("systemd-timer", [(28, 1), (30, 0)]), ("cron", [(28, 1), (29, 1), (30, 0)])],
)
def test_a_time_that_the_clock_leaves_out(
    berlin: None, backend: str, hours: list[tuple[int, int]]
) -> None:
    """29 March 2026, 02:30 does not exist: a timer skips it, cron makes up for it at 03:00."""
    chosen = plan(schedule_backend=backend, schedule_times=("02:30",))
    start = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
    found = times.next_runs(chosen, facts(), start, len(hours))
    assert [(run.earliest.day, run.earliest.hour) for run in found] == hours
    if backend == "cron":
        assert found[1].earliest == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_time_that_happens_twice_counts_once(berlin: None) -> None:
    chosen = plan(schedule_backend="cron", schedule_times=("02:30",))
    start = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    found = times.next_runs(chosen, facts(), start, 2)
    assert [run.earliest.day for run in found] == [25, 26]
    assert found[0].earliest.hour == 0
