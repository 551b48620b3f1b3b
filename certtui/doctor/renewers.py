"""Everything that renews on this host: does anything, and does only one thing?"""

from __future__ import annotations

from collections.abc import Iterator

from certtui.doctor.check import Check, Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.facts import Renewer

_ONE = Kind("renewers.one", Status.WARN, "exactly one thing renews")
_NONE = Kind("renewers.none", Status.FAIL, "something renews the certificates")
_SECOND = Kind(
    "renewers.second",
    Status.WARN,
    "one renewer: where there are two, the first one wins, without the other's hooks and mail",
)


def _renewers(context: Context) -> Iterator[Finding]:
    active = [renewer for renewer in context.facts.renewers if renewer.active]
    if context.plan is None:
        yield from _without_plan(context, active)
        return
    others = [renewer for renewer in active if not renewer.ours]
    if not others:
        yield _ONE.ok("", "nothing else renews")
    keep = context.plan.certbot.other_schedulers == "keep"
    for other in others:
        if keep and other.vendor:
            yield _SECOND.ok(other.where, "renews as well, which the plan keeps")
        else:
            yield _second(context, other, active)


def _second(context: Context, other: Renewer, active: list[Renewer]) -> Finding:
    message = f"renews as well; {_winner(active)}"
    if not other.vendor:
        message += "; it is your own, so certtui leaves it alone"
    # A vendor's is one that the plan says to switch off: the host is not what the plan says.
    status = Status.FAIL if other.vendor else None
    return _SECOND.found(other.where, message, _listed(active), _off(context, other), status=status)


def _off(context: Context, other: Renewer) -> Fix | None:
    if not other.vendor:
        return None
    if other.kind in ("timer", "snap"):
        return Fix(("systemctl", "disable", "--now", other.where))
    return context.apply()


def _without_plan(context: Context, active: list[Renewer]) -> Iterator[Finding]:
    # A plan that only root may read: what it generated is one thing, however many lines it has.
    first = [renewer for renewer in active if renewer.ours][:1]
    things = [*first, *(renewer for renewer in active if not renewer.ours)]
    if len(things) == 1:
        yield _ONE.ok(things[0].where, f"renews: {things[0].command}")
    elif things:
        yield _SECOND.found("", f"{len(things)} things renew; {_winner(things)}", _listed(active))
    elif context.facts.lineages:
        inactive = _listed(list(context.facts.renewers))
        yield _NONE.found("", "nothing renews on this host", inactive, Fix(("certtui",)))
    else:
        yield _ONE.skip("", "nothing renews, and there is nothing to renew")


def _winner(active: list[Renewer]) -> str:
    """Which comes first. cron's next time is not known, so nothing is said of it."""
    known = [(item.next_run, item.where) for item in active if item.next_run is not None]
    if len(known) < len(active):
        return "whichever comes first wins"
    moment, where = min(known)
    return f"{where} comes first, at {moment:%Y-%m-%d %H:%M} UTC, and wins"


def _listed(renewers: list[Renewer]) -> str:
    return "\n".join(
        f"{item.where}: {item.command}{'' if item.active else ' (not active)'}" for item in renewers
    )


CHECKS = (Check((_ONE, _NONE, _SECOND), _renewers),)
