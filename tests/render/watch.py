"""What must hold on a simulated host with an at backend, whatever goes on there.

What is expected comes from ``times``, which computes slots in Python, not in shell.
"""

from __future__ import annotations

import bisect
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from certtui.render import times
from tests.render.simulation import Simulation, utc
from tests.render.support import facts, plan, system
from tests.render.triggers import DAY, Start

#: Minutes at which clocks change in 2026, and two where they do not.
CHANGES = {
    zone: tuple(int(datetime.fromisoformat(when).timestamp()) // 60 for when in two)
    for zone, two in {
        "Europe/Berlin": ("2026-03-29T01:00+00:00", "2026-10-25T01:00+00:00"),
        "America/New_York": ("2026-03-08T07:00+00:00", "2026-11-01T06:00+00:00"),
        "Asia/Beirut": ("2026-03-28T22:00+00:00", "2026-10-24T21:00+00:00"),  # at midnight
        "America/Havana": ("2026-03-08T05:00+00:00", "2026-11-01T05:00+00:00"),  # at midnight
        "Australia/Lord_Howe": ("2026-04-04T15:00+00:00", "2026-10-03T15:30+00:00"),  # half an hour
        "Asia/Kolkata": ("2026-03-29T01:00+00:00", "2026-10-25T01:00+00:00"),  # never
        "UTC": ("2026-02-28T12:00+00:00", "2026-12-31T12:00+00:00"),  # never
    }.items()
}


@dataclass(frozen=True)
class Case:
    """One host for some days, around one of the two changes of its clock."""

    backend: str
    trigger: str
    runs: int
    zone: str
    change: int
    days: int

    def __str__(self) -> str:
        where = f"{self.zone.rpartition('/')[2]}-{'ab'[self.change]}"
        return f"{self.backend}-{self.trigger}-{self.runs}-{where}-{self.days}d"

    @property
    def begin(self) -> int:
        return CHANGES[self.zone][self.change] - self.days * DAY // 2


class Watch:
    """A simulated host, and what must hold after each start on it."""

    def __init__(self, case: Case, folder: Path, **changes: object) -> None:
        answers: dict[str, object] = {
            "schedule_backend": case.backend,
            "schedule_trigger": case.trigger,
            "schedule_runs_per_day": case.runs,
            "schedule_daily_cap": max(case.runs, 10),
            "files_scripts": f"{folder}/sbin",
            "webserver_kind": "none",
        }
        self.case = case
        self.random = random.Random(str(case))
        self.plan = plan(**{**answers, **changes})
        machine_id = f"{self.random.getrandbits(128):032x}"
        # Without /etc/cron.d the lines are in root's crontab.
        self.facts = facts(system=system(machine_id=machine_id), has_cron_d=case.runs != 3)
        self.sim = Simulation(folder, self.plan, self.facts, case.zone, case.begin)
        self.sim.look = self.look
        other = "exec /usr/local/sbin/certbot-at-block --other </dev/null"
        self.foreign = self.sim.foreign_job(1, case.begin + 900 * DAY, other)
        self.kept = self.foreign.read_bytes()
        self.edges: list[int] = []
        self.slots: list[int] = []
        self.refusing = False
        #: the minute of the first start: what was due before was not this host's to run
        self.begin = 0

    def expect(self, days: int) -> None:
        """Computes the slots from a day before until so many days after the beginning."""
        begin = utc(self.case.begin - DAY - DAY // self.case.runs)
        found = times.next_runs(
            self.plan, self.facts, begin, (days + 3) * self.case.runs + self.case.runs
        )
        assert all(run.earliest == run.latest for run in found)
        self.slots = [int(run.earliest.timestamp()) // 60 for run in found]

    @property
    def runs(self) -> list[int]:
        return [run.minute for run in self.sim.runs()]

    def slot(self, minute: int) -> int:
        """The last slot at or before a minute."""
        return self.slots[bisect.bisect_right(self.slots, minute) - 1]

    def look(self, starts: list[Start]) -> None:
        """One job of ours at most, the right one; nothing due is left; others' jobs are there."""
        now = self.sim.minute
        self.begin = self.begin or now
        if any(start.by == "anchor" for start in starts):
            self.edges.append(now)
        queued = [int(job.name[6:], 16) for job in self.sim.ours()]
        assert len(queued) <= 1, f"{utc(now)}: more than one job of ours"
        assert self.foreign.exists()
        assert self.foreign.read_bytes() == self.kept
        if self.refusing and not self.sim.refuses:
            self.refusing = False
            return
        if self.runs and max(self.runs) > now:
            return  # the clock was set back
        wanted = times.expected_job(self.plan, self.facts, utc(now))
        assert queued == ([] if wanted is None else [int(wanted.timestamp()) // 60]), utc(now)
        slot = self.slot(now)
        if slot > self.begin and not self.capped(now) and not self.capped(slot):
            assert max(self.runs, default=0) >= slot, f"{utc(now)}: the slot of {utc(slot)} is left"

    def capped(self, minute: int) -> bool:
        """Whether this day has had its runs: one catch-up more than slots, and the cap counts."""
        today = sum(run // DAY == minute // DAY for run in self.runs)
        return self.case.backend == "at-random" and today >= self.plan.schedule.daily_cap

    def two_blocks(self, minute: int) -> int:
        """How long the block of a minute and the one after it are, as the local day makes them."""
        begin, end = self.edges[0], self.edges[-1]
        length = self.edges[1] - begin
        edges = [begin - length, *sorted(set(self.edges)), end + length, end + 2 * length]
        n = bisect.bisect_right(edges, minute)
        return edges[n + 1] - edges[n - 1]

    def once_a_slot(self) -> None:
        """No slot was run twice, none before its time, and no job was for a time that is over."""
        taken = [self.slot(run) for run in self.runs]
        assert taken == sorted(set(taken))
        assert min(taken) > self.begin
        assert all(when > now for now, when in self.sim.submitted())

    def late_runs(self) -> list[tuple[int, int]]:
        """The slots that were not run in their minute, and when they were."""
        return [(self.slot(run), run) for run in self.runs if self.slot(run) != run]

    def off(self, begin: int, end: int) -> int:
        """How many minutes from the one to the other the host was off."""
        return sum(max(0, min(end, on) - max(begin, off)) for off, on in self.sim.offs)

    def none_left(self) -> None:
        """A slot without a run: the host was off, the day had its runs, or the next came first."""
        taken = {self.slot(run) for run in self.runs}
        for slot, following in itertools.pairwise(self.slots):
            if self.begin < slot < following < self.sim.minute and slot not in taken:
                soon = self.case.backend == "at-random" and following - slot < 60
                assert soon or self.off(slot, following) or self.capped(slot), utc(slot)

    def runs_again(self) -> None:
        """The last half day was as it should be, with one job for what follows."""
        since = self.sim.minute - DAY // 2
        expected = [slot for slot in self.slots if since < slot <= self.sim.minute]
        assert [run for run in self.runs if since < run <= self.sim.minute] == expected
        assert len(self.sim.ours()) <= 1

    def under_the_cap(self) -> None:
        """Counted per day (UTC); at-block has no cap, as a block has one slot."""
        days = Counter(run // DAY for run in self.runs)
        assert max(days.values()) <= self.plan.schedule.daily_cap


def simulated(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: object
) -> Watch:
    """A host whose clock the oracle goes by, too."""
    monkeypatch.setenv("TZ", case.zone)
    time.tzset()
    watch = Watch(case, tmp_path / "host", **changes)
    watch.expect(case.days)
    return watch


def as_expected(watch: Watch) -> None:
    case, sim = watch.case, watch.sim
    for slot in watch.random.sample(watch.slots[case.runs : 3 * case.runs], 2):
        sim.racing[slot] = 3
    sim.boot()
    sim.pass_minutes(case.days * DAY)
    assert watch.runs == [slot for slot in watch.slots if watch.begin < slot <= sim.minute]
    watch.once_a_slot()
    assert sim.failed == []
    assert sim.said() == []
    gaps = [(one, later) for one, later in itertools.pairwise(watch.runs)]
    if case.backend == "at-random":
        limits = dict.fromkeys(watch.runs, -(-DAY // case.runs) + DAY // case.runs // 2)
        watch.under_the_cap()
    else:
        limits = {one: watch.two_blocks(one) for one in watch.runs}
    assert [(utc(one), later - one) for one, later in gaps if later - one >= limits[one]] == []


def faults(watch: Watch, days: int) -> Iterator[tuple[int, Callable[[], None]]]:
    """Minutes from the beginning, ascending, and what goes wrong then: three things a day.

    Once atd is dead for a whole day, and once the host is off for one.
    """
    sim, rng = watch.sim, watch.random

    def race() -> None:
        following = next(slot for slot in watch.slots if slot > sim.minute)
        sim.racing[following] = rng.randint(1, 4)

    def refuse() -> None:
        watch.refusing = True
        sim.refuse()

    common = (
        sim.lose_job,
        race,
        refuse,
        lambda: sim.turn_off(rng.randint(2, 600)),
        lambda: sim.stop_atd(rng.randint(2, 600)),
    )
    long = {days // 3: lambda: sim.stop_atd(DAY), 2 * days // 3: lambda: sim.turn_off(DAY)}
    for day in range(days):
        for minute in sorted(rng.sample(range(DAY), 3)):
            yield day * DAY + minute, rng.choice(common)
        if day in long:
            yield (day + 1) * DAY - 1, long[day]


def through_faults(watch: Watch) -> None:
    case, sim = watch.case, watch.sim
    sim.boot()
    for minute, go_wrong in faults(watch, case.days - 3):
        sim.pass_minutes(max(minute, sim.host_off) - sim.passed)
        go_wrong()
    # The last outage may take one day, and one run a day may take another to find its minute.
    sim.pass_minutes(case.days * DAY - sim.passed)
    watch.once_a_slot()
    watch.none_left()
    assert watch.late_runs() or case.runs <= 3, "nothing went wrong"
    quiet = sim.minute - DAY
    assert [run for run in watch.runs if run > quiet] == [
        slot for slot in watch.slots if quiet < slot <= sim.minute
    ]
    if case.backend == "at-random":
        watch.under_the_cap()
        assert all(run - slot - watch.off(slot, run) <= 60 for slot, run in watch.late_runs())
