"""Whether a certificate that is due will be renewed in time: one rule for doctor and status.

Only what no run and no apply moves tells that a renewal was missed: with ARI certbot writes the
renewal configuration anew at each check (storage.py, update_configuration), so its time does not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING

from certtui.change.store import STATE
from certtui.doctor.certificates import window
from certtui.doctor.records.history import PastRun

if TYPE_CHECKING:
    from certtui.host.facts import Facts, Lineage
    from certtui.host.interface import Host
    from certtui.plan.model import Plan

#: Runs that may miss or fail before a due certificate is overdue.
MISSES = 3

#: Where fewer are noted: two days of the least that is usual, a run a day, and how long they take.
LATE = timedelta(days=2, hours=2)

#: A clock that was set back a little makes no apply a thing of the future.
_CLOCK = timedelta(minutes=10)

#: Without a plan: a run a day.
_UNKNOWN = timedelta(days=1)


class Late(Enum):
    """How late a renewal is; ``EXPIRES`` also where the next run comes after expiry."""

    NO = "not due"
    DUE = "due"
    OVERDUE = "overdue"
    EXPIRES = "expires before the next run"


@dataclass(frozen=True)
class Record:
    """What is known of the runs: when they tried (ascending), the last apply, the next at latest.

    ``applied`` is None before the first apply; ``next`` None where nothing is planned.
    """

    host: Host
    tried: tuple[datetime, ...] = ()
    applied: datetime | None = None
    next: datetime | None = None


def record(
    host: Host, facts: Facts, plan: Plan | None, past: Sequence[PastRun], now: datetime
) -> Record:
    """The record of a host's real runs, oldest first. Raises PermissionError."""
    state = host.info(STATE)
    tried = tuple(run.time for run in past if run.result != "locked" and run.time <= now)
    applied = datetime.fromtimestamp(state.mtime, timezone.utc) if state else None
    return Record(host, tried, applied, _next(facts, plan, now))


def _next(facts: Facts, plan: Plan | None, now: datetime) -> datetime | None:
    if plan is None:
        return None
    from certtui.render import times

    coming = times.next_runs(plan, facts, now, 1)
    return coming[0].latest if coming else None


def judge(lineage: Lineage, known: Record, now: datetime, certbot: tuple[int, ...]) -> Late:
    """Of a certificate that is valid still; without one, or before it is due, ``NO``.

    Overdue is one that several runs passed over, or that is due for longer than two days.
    """
    due = window.due_from(lineage, certbot)
    if due is None or lineage.not_before is None or lineage.not_after is None or due > now:
        return Late.NO
    if lineage.not_after <= (known.next or now + _UNKNOWN):
        return Late.EXPIRES
    since = max(due, lineage.not_before)
    missed = len(known.tried) - bisect_right(known.tried, since)
    if missed < MISSES and now - since <= LATE:
        return Late.DUE
    return Late.DUE if _had_no_chance(lineage, known, now) else Late.OVERDUE


def due_since(lineage: Lineage, certbot: tuple[int, ...]) -> datetime | None:
    """When a run could first have renewed this certificate; None without one."""
    due = window.due_from(lineage, certbot)
    return max(due, lineage.not_before) if due and lineage.not_before else None


def _had_no_chance(lineage: Lineage, known: Record, now: datetime) -> bool:
    """No run yet since the first apply, or since the lineage got an interval of its own.

    That excuses for a while, and only as long as the end is further away.
    """
    if lineage.not_after is None or lineage.not_after - now <= LATE:
        return False
    last = known.tried[-1] if known.tried else None
    begun = known.applied if last is None else None
    if lineage.renew_before_expiry:
        conf = known.host.info(lineage.config)
        changed = datetime.fromtimestamp(conf.mtime, timezone.utc) if conf else None
        if changed and (last is None or changed > last):
            begun = max(changed, begun or changed)
    return begun is not None and -_CLOCK <= now - begun <= LATE
