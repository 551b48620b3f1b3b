"""The systemd timer backend: a oneshot service and the timer that starts it."""

from __future__ import annotations

from certtui.host.facts import Facts
from certtui.plan.model import Plan
from certtui.render import places, shell, times
from certtui.render.artifact import Artifact, Rendered, UnitState
from certtui.render.places import Places

_FOLDER = "/etc/systemd/system"

#: Seconds beside certbot: two hooks with their tests (480), mail (60), heartbeat (45), the
#: minute's grace of a time-out, and room for a slow machine.
_BESIDES = 900


def schedule(plan: Plan, facts: Facts, where: Places) -> Rendered:
    """One explicit time a run: "00/12" loops for ever in zones that change at midnight."""
    name = plan.files.unit
    runs = plan.schedule.runs
    longest = plan.certbot.timeout + places.LOCK_TRIES * (where.lock_wait + 10) + _BESIDES
    service = _fill(
        "service.unit", {"@script@": places.renew_script(plan), "@limit@": str(longest)}
    )
    timer = _fill(
        "timer.unit",
        {
            "@count@": "once" if runs == 1 else f"{runs} times",
            "@calendar@": "\n".join(f"OnCalendar={when}" for when in calendar(plan, facts)),
            "@delay@": str(times.random_delay(plan)),
        },
    )
    paths = (f"{_FOLDER}/{name}.service", f"{_FOLDER}/{name}.timer")
    return Rendered(
        (
            Artifact(paths[0], service, 0o644, "runs the renewal"),
            Artifact(paths[1], timer, 0o644, f"starts the renewal {runs} times a day"),
        ),
        (UnitState(f"{name}.timer", True, "starts the renewal, also after a reboot", ours=True),),
        verify=paths,
    )


def calendar(plan: Plan, facts: Facts) -> list[str]:
    """Calendar events of systemd.time(7): local for the plan's fixed times, else UTC."""
    zone = "" if plan.schedule.times else " UTC"
    seconds = times.second(plan, facts)
    return [
        f"*-*-* {minute // 60:02}:{minute % 60:02}:{seconds:02}{zone}"
        for minute in times.daily_minutes(plan, facts)
    ]


def _fill(name: str, values: dict[str, str]) -> bytes:
    text = shell.template(name)
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text.encode("ascii")
