"""The daemon behind at: without it at accepts jobs, exits 0, and nothing ever starts them."""

from __future__ import annotations

from collections.abc import Iterator

from certtui.doctor.check import Check, Context, Kind, no_plan, not_needed
from certtui.doctor.finding import Finding, Status
from certtui.doctor.scheduler import services

_DAEMON = Kind(
    "atd.daemon",
    Status.FAIL,
    "atd is installed, starts at boot and runs",
    "at takes jobs and exits 0 with no atd: they wait, and start all together when it does.",
)


def _atd(context: Context) -> Iterator[Finding]:
    plan = context.plan
    if plan is None or not plan.schedule.backend.startswith("at-"):
        yield _DAEMON.skip("atd", not_needed(context) if plan else no_plan(context))
        return
    yield services.standing(_DAEMON, context, context.facts.atd)


CHECKS = (Check((_DAEMON,), _atd),)
