"""The cron daemon: without it nothing of what its files say happens."""

from __future__ import annotations

from collections.abc import Iterator

from certtui.doctor.check import Check, Context, Kind, no_plan, not_needed, started_by
from certtui.doctor.finding import Finding, Status
from certtui.doctor.scheduler import services

_DAEMON = Kind(
    "cron.daemon",
    Status.FAIL,
    "the cron daemon is installed, starts at boot and runs",
    "No line of any crontab is started without the daemon, and nobody is told of it; what was "
    "missed is not made up for once it runs again (cron(8)).",
)


def _daemon(context: Context) -> Iterator[Finding]:
    service, plan = context.facts.cron, context.plan
    if started_by(context) == "cron":
        yield services.standing(_DAEMON, context, service)
        return
    waiting = [
        item.where
        for item in context.facts.renewers
        if item.kind in ("cron.d", "crontab") and not (item.vendor and context.facts.has_systemd)
    ]
    if waiting and plan is None:
        yield services.standing(_DAEMON, context, service)
    elif plan is None:
        yield _DAEMON.skip("cron", f"{no_plan(context)}, and nothing seen renews by cron")
    else:
        yield _DAEMON.skip("cron", not_needed(context))


CHECKS = (Check((_DAEMON,), _daemon),)
