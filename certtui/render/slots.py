"""The slots of the at backends: one run each, at a minute that is a pure function of the host.

The scripts compute the same in shell (``templates/at-*.sh``); both count minutes since 1970 on one
clock: UTC, but for at-block started by cron the host's local clock, as cron knows no other. Slot
``k`` begins at ``offset + floor(k * 1440 / runs)``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from certtui.host.facts import Facts
from certtui.plan.model import Plan
from certtui.render import places, spread

_DAY = 24 * 60
_EPOCH = datetime(1970, 1, 1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Slots:
    """``offset`` is in minutes; ``whole`` slots use all of their length, others the first half."""

    runs: int
    offset: int
    key: str
    whole: bool
    local: bool

    def start(self, k: int) -> int:
        """The minute at which slot ``k`` begins."""
        return self.offset + k * _DAY // self.runs

    def time(self, k: int) -> int:
        """The minute at which slot ``k`` is run."""
        drawn = int(hashlib.sha256(f"{self.key}:{k}".encode()).hexdigest()[:7], 16)
        if self.whole:
            # Never at its very beginning: the job could not be queued before.
            return self.start(k) + 1 + drawn % (self.start(k + 1) - self.start(k) - 1)
        return self.start(k) + drawn % self.jitter

    @property
    def jitter(self) -> int:
        """Minutes that a slot's time may lie after its beginning, exclusive."""
        return _DAY // self.runs // 2

    def at(self, minute: int) -> int:
        """The number of the slot that a minute lies in."""
        return ((minute - self.offset + 1) * self.runs - 1) // _DAY

    def after(self, now: datetime) -> Iterator[int]:
        """The numbers of the slots whose run is still to come, ascending, without end."""
        k = self.at(self.minute(now)) - 1
        while True:
            if self.run(k) > now:
                yield k
            k += 1

    def begun(self, k: int, now: datetime) -> bool:
        """Whether slot ``k`` has begun at an aware moment, also if the clock was set back since."""
        return self.start(k) <= self.minute(now) or self.moment(self.start(k)) <= now

    def run(self, k: int) -> datetime:
        """When slot ``k`` is run (aware, UTC): with its job, or with what starts the script before.

        That may be where the job is late for a change of the clocks. cron makes up for a block's
        beginning that was left out as soon as the clock has changed (cron(8)).
        """
        job = self.moment(self.time(k))
        if not self.local or self.minute(job) == self.time(k):
            return job
        begins = {start: self.moment(start) for start in (self.start(k), self.start(k + 1))}
        if any(self.minute(begin) != start for start, begin in begins.items()):
            return _last_change(job)
        return min(job, begins[self.start(k + 1)])

    def minute(self, moment: datetime) -> int:
        """The clock's minute at an aware moment."""
        wall = moment.astimezone() if self.local else moment.astimezone(timezone.utc)
        return (wall.replace(tzinfo=None) - _EPOCH) // timedelta(minutes=1)

    def moment(self, minute: int) -> datetime:
        """A minute of the clock as an aware time in UTC; one left out is late by what is left out.

        Of a local minute that comes twice the first is meant.
        """
        wall = _EPOCH + timedelta(minutes=minute)
        if not self.local:
            return wall.replace(tzinfo=timezone.utc)
        # Not wall.astimezone(): it puts what is left out before the change.
        return datetime.fromtimestamp(wall.timestamp(), timezone.utc)


def _last_change(moment: datetime) -> datetime:
    """The last change of the local clock: no zone leaves out more than an hour or two."""
    offset = moment.astimezone().utcoffset()
    while (moment - _MINUTE).astimezone().utcoffset() == offset:
        moment -= _MINUTE
    return moment


def slots(plan: Plan, facts: Facts) -> Slots:
    """The slots of a plan with an at backend on a host."""
    runs = plan.schedule.runs_per_day
    drawn = spread.number(plan, facts)
    block = plan.schedule.backend == "at-block"
    # at-random: either half of each part of the day. So all slots of a UTC day lie within it, the
    # daily cap may equal the runs a day, and a fleet is spread evenly all the same.
    offset = drawn % _DAY if block else drawn % 2 * (_DAY // runs // 2)
    local = block and places.trigger(plan, facts) == "cron"
    return Slots(runs, offset, spread.key(plan, facts), block, local)
