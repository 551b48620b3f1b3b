"""The at backends over a thousand simulated days: one run a slot, whatever else goes on.

The scripts are the rendered ones, under dash. Host-days of the quiet hosts and of those where
things go wrong add up to more than a thousand.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.render.triggers import DAY
from tests.render.watch import CHANGES, Case, as_expected, simulated, through_faults

RUNS = (1, 2, 3, 5, 7, 11, 23, 24)
WAYS = tuple(itertools.product(("at-block", "at-random"), ("cron", "systemd")))


@pytest.fixture(autouse=True)
def _own_zone() -> Iterator[None]:
    """After monkeypatch has taken TZ back."""
    yield
    time.tzset()


def days(runs: int, few: int, some: int, many: int) -> int:
    """More of those days that have few runs: they cost the least."""
    return many if runs <= 3 else some if runs <= 7 else few


QUIET = [
    *(
        Case("at-block", "cron", runs, zone, change, days(runs, 2, 4, 10))
        for runs in RUNS
        for zone in CHANGES
        for change in (0, 1)
    ),
    *(
        Case(*way, runs, list(CHANGES)[n % len(CHANGES)], n % 2, days(runs, 4, 8, 16))
        for n, (way, runs) in enumerate(itertools.product(WAYS[1:], RUNS))
    ),
]


@pytest.mark.parametrize("case", QUIET, ids=str)
def test_exactly_one_run_in_each_slot_at_its_minute(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the hourly anchors one in seven is enough to see that they leave all as it is."""
    watch = simulated(case, tmp_path, monkeypatch)
    watch.sim.every = 7 if case.backend == "at-random" else 1
    as_expected(watch)


FAULTY = [
    Case(*way, runs, list(CHANGES)[(n + 1) % len(CHANGES)], n // 2 % 2, days(runs, 6, 9, 11))
    for n, (way, runs) in enumerate(itertools.product(WAYS, RUNS))
]


@pytest.mark.parametrize("case", FAULTY, ids=str)
def test_reboots_lost_jobs_and_a_dead_atd_cost_one_late_run_at_most(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is due is run by the next start of any kind, once, however much was missed."""
    through_faults(simulated(case, tmp_path, monkeypatch))


def test_they_are_a_thousand_host_days() -> None:
    cases = [*QUIET, *FAULTY]
    assert sum(case.days for case in cases) > 1000
    assert {case.runs for case in cases if case.backend == "at-random"} == set(RUNS)


CLOCKS = [Case(*way, runs, "Europe/Berlin", 0, 3) for way in WAYS for runs in (3, 11)]


@pytest.mark.parametrize("minutes", [-60, 60])
@pytest.mark.parametrize("case", CLOCKS, ids=str)
def test_a_clock_that_is_set_by_an_hour_repeats_nothing(
    case: Case, minutes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = simulated(case, tmp_path, monkeypatch)
    watch.sim.boot()
    watch.sim.pass_minutes(watch.random.randrange(DAY // 2, DAY))
    watch.sim.set_clock(minutes)
    watch.sim.pass_minutes(DAY * 3 // 2)
    watch.once_a_slot()
    watch.runs_again()


@pytest.mark.parametrize("case", CLOCKS, ids=str)
def test_a_clock_that_was_a_year_ahead_ends_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a board without a battery: the state it leaves lies in the future."""
    watch = simulated(case, tmp_path, monkeypatch)
    watch.sim.boot()
    watch.sim.pass_minutes(DAY // 2)
    watch.sim.look = lambda _: None
    before = len(watch.runs)
    watch.sim.set_clock(400 * DAY)
    watch.sim.pass_minutes(90)
    assert 1 <= len(watch.runs) - before <= 2 + 90 * case.runs // DAY
    watch.sim.set_clock(-400 * DAY)
    watch.sim.pass_minutes(DAY * 3 // 2)
    watch.runs_again()
    assert all(when > now for now, when in watch.sim.submitted())


#: What a state file may hold after a crash, a full disk or a curious hand, by what it was.
DAMAGES: dict[str, Callable[[list[str]], list[str]]] = {
    "lost": lambda good: [
        *("", "\0\n", "slot\n", "slot=\nday=\nruns=\n", "slot=-5\nday=-1\nruns=-9\n"),
        *("slot=99999999999999999999\n", "slot=0x10\nday=08\nruns=09\n", "slot=1\n"),
        *(good[0], good[0][:8], "".join(good[:2]), "".join(good[1:])),
    ],
    "old": lambda good: [
        "".join(["slot=1\n", *good[1:]]),
        "".join([good[0][:9] + "\n", *good[1:]]),
    ],
}


@pytest.mark.parametrize(
    ("damage", "runs"), [*(("lost", runs) for runs in RUNS), ("old", 1), ("old", 5), ("old", 24)]
)
def test_the_cap_holds_whatever_becomes_of_the_state(
    damage: str, runs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cap is what the plan allows at least: the runs a day."""
    case = Case("at-random", "cron", runs, "America/Havana", 0, 2)
    watch = simulated(case, tmp_path, monkeypatch, schedule_daily_cap=runs)
    watch.sim.look = lambda _: None
    watch.sim.boot()
    state = watch.sim.state / "at-state"
    for _ in range(case.days * 8):
        watch.sim.pass_minutes(watch.random.randint(1, 360))
        good = state.read_text().splitlines(keepends=True)
        if len(good) > 3:
            state.write_text(watch.random.choice(DAMAGES[damage](good)))
    watch.sim.pass_minutes(DAY)
    watch.under_the_cap()
    assert len(watch.runs) >= case.days * runs / 2


#: Mistakes that a script might have: what is put in which one's place.
BROKEN = {
    "the state is not kept": ('mv -f "$STATE/at-state.new"', 'rm "$STATE/at-state.new" #'),
    "a slot is not noted": ("TAKEN=$PASSED\n    if count_run", "if count_run"),
    "nothing is queued": ('if [ -z "$FOUND" ] &&', "if false &&"),
    "its own job is not found": ('exec $SELF </dev/null"*) ;;', 'exec $SELF"*) continue ;;'),
    "others' jobs are its own": (
        "*) continue ;;\n        esac\n        job_slot",
        "esac\n        job_slot",
    ),
    "any job will do": ('[ -z "$FOUND" ] && may_queue', '[ -z "$jobs_listed" ] && may_queue'),
    "local time is queued": ("TZ=UTC0 CERTTUI_TRIGGER=at", "CERTTUI_TRIGGER=at"),
    "the job's zone is the host's": ("unset TZ\n", ""),
    "another hash": ("draw_hash#???????", "draw_hash#??????"),
    "it does not renew": ('exec "$RENEW_SCRIPT"', "exit 0"),
    "it always renews": ('[ -n "$RENEWS" ] ||', "false ||"),
    "a running job counts": ("root/[!=]) ;;", "root/*) ;;"),
    "it waits for nobody": ("! flock -n 9 2>/dev/null && ! limit 60 flock 9", "false"),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_broken_script_is_noticed(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the tests above would say nothing."""
    quiet = simulated(Case("at-block", "cron", 5, "Europe/Berlin", 0, 2), tmp_path, monkeypatch)
    tried = simulated(
        Case("at-random", "systemd", 5, "Europe/Berlin", 0, 7), tmp_path / "two", monkeypatch
    )
    for watch in (quiet, tried):
        good = watch.sim.script.read_text()
        broken = good.replace(*BROKEN[mistake])
        assert broken != good
        watch.sim.script.write_text(broken)
    with pytest.raises(AssertionError):
        as_expected(quiet)
        through_faults(tried)
