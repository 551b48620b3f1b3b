"""The whole target state of a plan on a host: files, units and what is moved aside. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from certtui.host.facts import Facts
from certtui.plan.model import INSTALLED_PLAN, Plan
from certtui.render import at, cron, scripts, systemd_timer
from certtui.render.artifact import Artifact, Rename, Rendered, UnitState
from certtui.render.places import Places

#: What starts the renew script, by ``schedule.backend``: each gives its files and units.
BACKENDS: dict[str, Callable[[Plan, Facts, Places], Rendered]] = {
    "cron": cron.schedule,
    "systemd-timer": systemd_timer.schedule,
    "at-block": at.schedule,
    "at-random": at.schedule,
}

#: Timers that distributions and snapd bring with certbot (Debian, Fedora, snap).
VENDOR_TIMERS = ("certbot.timer", "certbot-renew.timer", "snap.certbot.renew.timer")

_CRON_FILE = "/etc/cron.d/certbot"


def render(plan: Plan, facts: Facts, *, plan_text: bytes, where: Places | None = None) -> Rendered:
    """Everything that must be on the host. The same arguments give the same bytes, always.

    ``where`` is for tests.
    """
    where = where or Places()
    started_by = BACKENDS[plan.schedule.backend](plan, facts, where)
    return Rendered(
        (
            Artifact(INSTALLED_PLAN, plan_text, 0o600, "the plan, as applied"),
            *scripts.artifacts(plan, facts, where),
            *started_by.artifacts,
        ),
        (*started_by.units, *_vendor_units(plan, facts)),
        tuple(_vendor_files(plan, facts)),
        started_by.verify,
        started_by.queue,
    )


def _vendor_units(plan: Plan, facts: Facts) -> Iterator[UnitState]:
    """Named whenever they exist, also when off already: a second apply then finds nothing to do."""
    if plan.certbot.other_schedulers != "disable" or not facts.has_systemd:
        return
    known = {timer.unit for timer in facts.timers if timer.state or timer.fragment or timer.active}
    known |= {
        renewer.where
        for renewer in facts.renewers
        if renewer.kind in ("timer", "snap") and renewer.vendor and not renewer.ours
    }
    for unit in VENDOR_TIMERS:
        if unit in known and unit != f"{plan.files.unit}.timer":
            yield UnitState(unit, False, "one renewer is enough; `certtui undo` turns it on again")


def _vendor_files(plan: Plan, facts: Facts) -> Iterator[Rename]:
    """Debian's cron file stands back by itself where systemd runs; an administrator's own stays."""
    if plan.certbot.other_schedulers != "disable" or facts.has_systemd:
        return
    if any(
        renewer.vendor and renewer.where.partition(":")[0] == _CRON_FILE
        for renewer in facts.renewers
    ):
        yield Rename(
            _CRON_FILE,
            f"{_CRON_FILE}.certtui-disabled",
            "one renewer is enough; cron ignores a name with a dot",
        )
