"""Whether the scheduler would start a renewal: doctor's own checks of it, as the first step.

A drill starts one run by the scheduler's way, but by a file or job of its own: that the plan's own
file is taken, the timer active and the job queued is not proved by it.
"""

from __future__ import annotations

from datetime import datetime, timezone

from certtui.doctor.finding import Finding, Status
from certtui.doctor.registry import Context, run_checks
from certtui.drill.model import Scene, Step

#: Groups of checks of what starts a run; those of another backend than the plan's skip themselves.
_GROUPS = ("cron", "timer", "atd", "at", "boot", "root")

#: What an earlier run came to is no matter of what starts the next one.
_NOT_IT = ("timer.service-failed",)

WHAT = "scheduled"


def look(scene: Scene) -> tuple[Finding, ...]:
    """What doctor finds, all of it."""
    now = datetime.fromtimestamp(scene.clock.now(), timezone.utc)
    context = Context(scene.host, scene.facts, scene.plan, scene.rendered, now)
    return run_checks(context, _GROUPS, _NOT_IT)


def step(scene: Scene) -> Step:
    """FAIL where doctor fails it, or could not look: the first finding with its mend."""
    wrong = [found for found in look(scene) if found.status in (Status.FAIL, Status.CRASH)]
    if not wrong:
        backend = scene.plan.schedule.backend
        return Step(WHAT, True, f"nothing keeps {backend} from starting the plan's runs")
    first, more = wrong[0], len(wrong) - 1
    message = f"{first.subject}: {first.message}" if first.subject else first.message
    message += f" ({first.id})" + (f", and {more} more" if more else "")
    return Step(WHAT, False, message, " ".join(first.fix.argv) if first.fix else "certtui doctor")
