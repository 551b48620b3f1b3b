"""The at backends: a script that keeps its own next at job queued, and what starts it besides."""

from __future__ import annotations

from collections.abc import Sequence

from certtui.host.facts import Facts
from certtui.plan.model import Plan
from certtui.render import cron, places, shell, systemd_timer, times
from certtui.render.artifact import Artifact, Rendered
from certtui.render.places import Places
from certtui.render.slots import slots
from certtui.render.systemd_timer import Pair


def schedule(plan: Plan, facts: Facts, where: Places) -> Rendered:
    """The script, and the cron lines or the timer that start it also when its job is lost."""
    script = Artifact(
        places.at_script(plan), _script(plan, facts, where), 0o700, "queues the at job of each run"
    )
    started = _trigger(plan, facts, where, script.path)
    return Rendered(
        (script, *started.artifacts), started.units, verify=started.verify, queue=script.path
    )


def _trigger(plan: Plan, facts: Facts, where: Places, script: str) -> Rendered:
    block = plan.schedule.backend == "at-block"
    often = "at the start of each block" if block else "once an hour"
    why = f"starts {script.rpartition('/')[2]} {often} and at boot"
    if places.trigger(plan, facts) == "cron":
        clock = [*_cron_clock(plan, facts), "@reboot"]
        return Rendered((cron.lines(plan, facts, where, clock, script, why),))
    pair = Pair(
        script,
        f"Keep the next renewal queued with at, {often}",
        why,
        [*_calendar(plan, facts), "OnBootSec=1min"],
    )
    return systemd_timer.units(plan, where, pair)


def _cron_clock(plan: Plan, facts: Facts) -> Sequence[str]:
    if plan.schedule.backend == "at-block":
        return cron.daily(plan, facts)
    return [f"{_anchor(plan, facts)} * * * *"]


def _calendar(plan: Plan, facts: Facts) -> Sequence[str]:
    """Explicit times in UTC, or the one minute of every hour."""
    if plan.schedule.backend == "at-block":
        return systemd_timer.calendar(plan, facts)
    return [f"OnCalendar=*-*-* *:{_anchor(plan, facts):02}:00 UTC"]


def _anchor(plan: Plan, facts: Facts) -> int:
    """The minute of the hour at which the anchor looks."""
    return times.daily_minutes(plan, facts)[0] % 60


def _script(plan: Plan, facts: Facts, where: Places) -> bytes:
    drawn = slots(plan, facts)
    values = {
        "PATH": where.path,
        "STATE": where.state,
        "SELF": places.at_script(plan),
        "RENEW_SCRIPT": places.renew_script(plan),
        "QUEUE": plan.schedule.at_queue,
        "RUNS": str(drawn.runs),
        "OFFSET": str(drawn.offset),
        "KEY": drawn.key,
    }
    if drawn.whole:
        values["CLOCK"] = "local" if drawn.local else "utc"
    else:
        values["DAILY_CAP"] = str(plan.schedule.daily_cap)
    return shell.script(f"{plan.schedule.backend}.sh", shell.assignments(values))
