"""The slots of the at backends: a pure function of the host, within their bounds on every host."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from certtui.render import slots, times
from tests.render.support import facts, plan, system

UTC = timezone.utc
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

RUNS = (1, 2, 3, 5, 7, 11, 23, 24)


def host(number: int) -> Any:
    return facts(system=system(machine_id=f"{number:032x}"))


@pytest.mark.parametrize("runs", RUNS)
def test_random_slots_keep_their_bounds_and_their_day(runs: int) -> None:
    for number in range(40):
        drawn = slots.slots(
            plan(schedule_backend="at-random", schedule_runs_per_day=runs, schedule_daily_cap=24),
            host(number),
        )
        first = drawn.at(29_000_000)
        found = [drawn.time(k) for k in range(first, first + 30 * runs)]
        gaps = [b - a for a, b in itertools.pairwise(found)]
        assert min(gaps) > 0
        assert max(gaps) <= -(-1440 // runs) + 720 // runs
        days = [minute // 1440 for minute in found]
        assert {days.count(day) for day in set(days[runs:-runs])} == {runs}


@pytest.mark.parametrize("runs", RUNS)
def test_block_slots_are_in_their_block(runs: int) -> None:
    for number in range(40):
        drawn = slots.slots(
            plan(schedule_backend="at-block", schedule_runs_per_day=runs), host(number)
        )
        first = drawn.at(29_000_000)
        assert drawn.start(first) <= 29_000_000 < drawn.start(first + 1)
        for k in range(first, first + 30 * runs):
            assert drawn.start(k) < drawn.time(k) < drawn.start(k + 1)


def test_a_fleet_is_spread_over_the_day() -> None:
    """Neither hosts nor hours stand together: each hour of a day has its share of 2,400 runs."""
    for backend in ("at-block", "at-random"):
        hours = [0] * 24
        for number in range(1200):
            drawn = slots.slots(plan(schedule_backend=backend), host(number))
            first = drawn.at(drawn.minute(NOW))
            for k in (first, first + 1):
                hours[drawn.time(k) // 60 % 24] += 1
        assert min(hours) > 60, hours
        assert max(hours) < 140, hours


@pytest.mark.parametrize(
    ("init", "trigger", "local"),
    [("systemd", "auto", False), ("other", "auto", True), ("systemd", "cron", True)],
)
def test_blocks_are_local_where_cron_begins_them(init: str, trigger: str, local: bool) -> None:
    chosen = plan(schedule_backend="at-block", schedule_trigger=trigger)
    assert slots.slots(chosen, facts(system=system(init=init))).local is local
    chain = plan(schedule_backend="at-random", schedule_trigger=trigger)
    assert slots.slots(chain, facts(system=system(init=init))).local is False


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_longest_gap_is_two_blocks_or_a_part_and_a_half_or_the_delay() -> None:
    found = {
        backend: times.longest_gap(plan(schedule_backend=backend), facts())
        for backend in ("at-block", "at-random", "systemd-timer", "cron")
    }
    assert found == {
        "at-block": timedelta(hours=24),
        "at-random": timedelta(hours=18),
        "systemd-timer": timedelta(hours=13),
        "cron": timedelta(hours=12),
    }


def test_a_slot_whose_minute_has_come_is_no_longer_to_come() -> None:
    drawn = slots.slots(plan(schedule_backend="at-random"), facts())
    k = next(drawn.after(NOW))
    assert next(drawn.after(drawn.moment(drawn.time(k)))) == k + 1
    assert next(drawn.after(drawn.moment(drawn.time(k) - 1))) == k


def test_local_blocks_begin_when_cron_does(berlin: None) -> None:
    chosen = plan(schedule_backend="at-block", schedule_trigger="cron", schedule_runs_per_day=4)
    drawn = slots.slots(chosen, facts())
    minutes = times.daily_minutes(chosen, facts())
    for k in itertools.islice(drawn.after(NOW), 8):
        begun = drawn.moment(drawn.start(k)).astimezone()
        assert begun.hour * 60 + begun.minute in minutes
        run = drawn.moment(drawn.time(k))
        assert times.expected_job(chosen, facts(), begun) == run
        assert times.expected_job(chosen, facts(), begun - timedelta(minutes=1)) != run


def test_what_the_clock_leaves_out_is_run_once_it_has_changed(berlin: None) -> None:
    """29 March 2026: there is no 02:00 to 03:00. Neither is a run told for before the change."""
    change = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    told = 0
    for number in range(40):
        chosen = plan(
            schedule_backend="at-block", schedule_trigger="cron", schedule_runs_per_day=24
        )
        drawn = slots.slots(chosen, host(number))
        found = [
            run.earliest
            for run in times.next_runs(chosen, host(number), change - timedelta(hours=6), 12)
        ]
        assert found == sorted(set(found))
        nearest = drawn.at(drawn.minute(change))
        known = {drawn.time(k) for k in range(nearest - 12, nearest + 12)}
        strange = [run for run in found if drawn.minute(run) not in known]
        assert all(change <= run < change + timedelta(hours=1) for run in strange)
        told += len(strange)
    assert told > 20


def test_in_an_hour_that_comes_again_no_run_of_the_first_is_told(berlin: None) -> None:
    """25 October 2026: 02:00 to 03:00 comes twice, and what was run in the first is over."""
    again = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    for number in range(40):
        for runs in (5, 24):
            chosen = plan(
                schedule_backend="at-block", schedule_trigger="cron", schedule_runs_per_day=runs
            )
            first, *_ = times.next_runs(chosen, host(number), again)
            assert first.earliest > again
            expected = times.expected_job(chosen, host(number), again)
            assert expected is None or expected == first.earliest
