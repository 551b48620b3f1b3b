"""The runs to come as this host has them scheduled: the plan's times, if something starts them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from certtui.host.facts import Facts, Timer
from certtui.plan.model import Plan
from certtui.render import places
from certtui.render.times import AT_WORK, Run, next_runs, settled_job


def runs(
    facts: Facts, plan: Plan | None, now: datetime, count: int, *, live: bool = True
) -> tuple[tuple[Run, ...], list[str]]:
    """The next ``count`` runs after ``now`` (aware), and sentences about why there are none.

    Without a plan those of other renewers. ``live`` is false where the files are not this
    machine's: then the plan's times count, whatever runs here.
    """
    if plan is None:
        return _of_others(facts, now, count)
    coming = next_runs(plan, facts, now, count)
    if not live:
        return coming, []
    problem = next(_problems(plan, facts, now), "")
    if problem:
        return (), [f"nothing is scheduled: {problem} (see certtui doctor)"]
    timer = _timer(plan, facts)
    if plan.schedule.backend != "systemd-timer" or timer is None or timer.next_elapse is None:
        return coming, []
    # systemd has rolled the delay of the next run already: that one is known exactly.
    first = timer.next_elapse
    later = [run for run in coming if run.earliest > first]
    return (Run(first, first), *later)[:count], []


def _problems(plan: Plan, facts: Facts, now: datetime) -> Iterator[str]:
    """Why nothing of ours will start."""
    at = bool(places.at_script(plan))
    by = places.trigger(plan, facts) if at else plan.schedule.backend
    if by == "cron":
        if not _ours(facts, "cron.d", "crontab"):
            yield "cron starts nothing of certtui"
    elif _timer(plan, facts) is None:
        yield f"{plan.files.unit}.timer is inactive"
    if not at:
        return
    if not facts.atd.installed:
        yield "at is not installed"
    elif not facts.atd.running:
        yield "atd does not run"
    elif facts.system.is_root:  # only root sees the queue
        jobs = [item.next_run for item in facts.renewers if item.ours and item.kind == "at"]
        if not any(when is None or when > now - AT_WORK for when in jobs):
            if jobs:
                yield "its job is overdue"
            elif settled_job(plan, facts, now):
                yield "its job is not in at's queue"


def _ours(facts: Facts, *kinds: str) -> bool:
    return any(item.ours and item.active and item.kind in kinds for item in facts.renewers)


def _timer(plan: Plan, facts: Facts) -> Timer | None:
    """Ours, where it is active."""
    unit = f"{plan.files.unit}.timer"
    return next((item for item in facts.timers if item.unit == unit and item.active), None)


def _of_others(facts: Facts, now: datetime, count: int) -> tuple[tuple[Run, ...], list[str]]:
    moments = sorted(
        item.next_run for item in facts.renewers if item.active and item.next_run is not None
    )
    found = tuple(Run(moment, moment) for moment in moments if moment > now)[:count]
    names = dict.fromkeys(item.where.partition(":")[0] for item in facts.renewers if item.active)
    return found, [f"{name} renews here" for name in names] or [
        "nothing renews certificates on this host"
    ]
