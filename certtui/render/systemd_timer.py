"""The systemd timer backend: a oneshot service and the timer that starts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from certtui.host.facts import Facts
from certtui.plan.model import Plan
from certtui.render import places, shell, times
from certtui.render.artifact import Artifact, Rendered, UnitState
from certtui.render.places import Places

#: Seconds beside certbot: two hooks with their tests (480), mail (60), heartbeat (7), the
#: minute's grace of a time-out, and room for a slow machine.
_BESIDES = 900


@dataclass(frozen=True)
class Pair:
    """What a service starts and what its timer waits for: lines of systemd.timer(5).

    ``does`` and ``why`` tell people the same, in the unit and in the preview.
    """

    script: str
    does: str
    why: str
    when: Sequence[str]


def schedule(plan: Plan, facts: Facts, where: Places) -> Rendered:
    """One explicit time a run: "00/12" loops for ever in zones that change at midnight."""
    runs = plan.schedule.runs
    often = "once" if runs == 1 else f"{runs} times"
    pair = Pair(
        places.renew_script(plan),
        f"Renew the certificates that are due, {often} a day",
        f"starts the renewal {runs} times a day",
        [*calendar(plan, facts), f"RandomizedDelaySec={times.random_delay(plan)}"],
    )
    return units(plan, where, pair)


def units(plan: Plan, where: Places, pair: Pair) -> Rendered:
    """A service, its timer, and the timer's enablement."""
    name = plan.files.unit
    longest = plan.certbot.timeout + places.LOCK_TRIES * (where.lock_wait + 10) + _BESIDES
    service = _fill("service.unit", {"@script@": pair.script, "@limit@": str(longest)})
    timer = _fill("timer.unit", {"@does@": pair.does, "@when@": "\n".join(pair.when)})
    paths = (f"{places.UNITS}/{name}.service", f"{places.UNITS}/{name}.timer")
    return Rendered(
        (
            Artifact(paths[0], service, 0o644, "runs the renewal"),
            Artifact(paths[1], timer, 0o644, pair.why),
        ),
        (UnitState(f"{name}.timer", True, "starts the renewal, also after a reboot", ours=True),),
        verify=paths,
    )


def calendar(plan: Plan, facts: Facts) -> list[str]:
    """Calendar events of systemd.time(7): local for the plan's fixed times, else UTC."""
    zone = "" if plan.schedule.times else " UTC"
    seconds = times.second(plan, facts)
    return [
        f"OnCalendar=*-*-* {minute // 60:02}:{minute % 60:02}:{seconds:02}{zone}"
        for minute in times.daily_minutes(plan, facts)
    ]


def _fill(name: str, values: dict[str, str]) -> bytes:
    text = shell.template(name)
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text.encode("ascii")
