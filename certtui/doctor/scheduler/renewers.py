"""Everything that renews on this host: does anything, does only one thing, and will it go on?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from certtui.doctor.check import Check, Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.facts import Renewer, Timer

_TWO = (
    "whichever comes first renews, with its own hooks, or none, and its own mail, or none; the "
    "other finds nothing due, and what it would have done after a renewal is never done."
)

_ONE = Kind(
    "renewers.one",
    Status.WARN,
    "exactly one thing renews",
    f"Of two renewers {_TWO}",
)
_NONE = Kind(
    "renewers.none",
    Status.FAIL,
    "something renews the certificates",
    'certbot says "has set up a scheduled task to automatically renew" also on hosts where it has '
    "not, and Let's Encrypt sends no mail before a certificate expires since June 2025.",
)
_PARTLY = Kind(
    "renewers.not-enough",
    Status.WARN,
    "what renews does so every week, and for every certificate",
    "certbot renews a certificate once a third of its life is left: a run that comes once a month, "
    "or at boots only, or that names other certificates (--cert-name), may never meet that time.",
)
_SECOND = Kind(
    "renewers.second",
    Status.WARN,
    "one renewer: where there are two, the first one wins, without the other's hooks and mail",
    f"Of two renewers {_TWO}",
)
_VENDOR = Kind(
    "renewers.vendor",
    Status.FAIL,
    "what the distribution or a snap brought is off, as the plan says",
    f"An update may turn it on again (certbot #8555 for the snap). Of two renewers {_TWO}",
)
_BOOT = Kind(
    "renewers.until-reboot",
    Status.FAIL,
    "what renews comes back after a reboot",
    "An active timer that is not enabled renews until the host is rebooted, perhaps for months.",
)


def _renewers(context: Context) -> Iterator[Finding]:
    active = [renewer for renewer in context.facts.renewers if renewer.active]
    if context.plan is None:
        yield from _without_plan(context, active)
        return
    keep = context.plan.certbot.other_schedulers == "keep"
    others = [renewer for renewer in active if not renewer.ours]
    sleeping = [] if keep else list(_at_next_boot(context))
    if not others and not sleeping:
        yield _ONE.ok("", "nothing else renews", _table(context, context.facts.renewers))
    for other in others:
        if keep and other.vendor:
            yield _SECOND.ok(other.where, "renews as well, which the plan keeps")
        else:
            yield _second(context, other, active)
    for timer in sleeping:
        message = "is enabled, so that it renews as well from the next boot on"
        seen = _table(context, context.facts.renewers)
        yield _VENDOR.found(timer.unit, message, seen, _switch_off(timer.unit))


def _second(context: Context, other: Renewer, active: Sequence[Renewer]) -> Finding:
    message, seen = f"renews as well; {_winner(active)}", _table(context, context.facts.renewers)
    if other.vendor:
        return _VENDOR.found(other.where, message, seen, _off(context, other))
    message += "; it is your own, so certtui leaves it alone"
    return _SECOND.found(other.where, message, seen)


def _at_next_boot(context: Context) -> Iterator[Timer]:
    """Vendors' timers that only wait for the next boot."""
    vendors = {item.where for item in context.facts.renewers if item.vendor and not item.active}
    for timer in context.facts.timers:
        if timer.unit in vendors and timer.state == "enabled":
            yield timer


def _off(context: Context, other: Renewer) -> Fix:
    return _switch_off(other.where) if other.kind in ("timer", "snap") else context.apply()


def _switch_off(unit: str) -> Fix:
    return Fix(("systemctl", "disable", "--now", unit))


def _without_plan(context: Context, active: list[Renewer]) -> Iterator[Finding]:
    # A plan that only root may read: what it generated is one thing, however many lines it has.
    first = [renewer for renewer in active if renewer.ours][:1]
    things = [*first, *(renewer for renewer in active if not renewer.ours)]
    seen = _table(context, context.facts.renewers)
    gone = [item for item in things if _ends_with_boot(context, item)]
    for item in gone if len(gone) == len(things) else ():
        message = "renews, but is not enabled: after a reboot nothing does"
        mend = Fix(("systemctl", "enable", item.where))
        yield _BOOT.found(item.where, message, seen, mend)
    lacking = _lacking(context, things)
    if things and lacking and not gone:
        yield _PARTLY.found(things[0].where if len(things) == 1 else "", lacking, seen)
    elif len(things) == 1 and not gone:
        yield _ONE.ok(things[0].where, f"renews: {things[0].command}", seen)
    elif len(things) > 1:
        yield _SECOND.found("", f"{len(things)} things renew; {_winner(things)}", seen)
    elif not things and context.facts.lineages:
        yield _none(context, seen)
    elif not things:
        yield _ONE.skip("", "nothing renews, and there is nothing to renew")


def _lacking(context: Context, things: Sequence[Renewer]) -> str:
    """What all that renews leaves out; "" where it is enough."""
    often = [item for item in things if not item.rare]
    if not context.facts.lineages:
        return ""
    if not often:
        return "what renews is started less often than every week"
    if not all(item.only for item in often):
        return ""
    named = {name for item in often for name in item.only}
    left = [one.name for one in context.facts.lineages if one.name not in named]
    return f"nothing renews {', '.join(left[:3])}{' ...' * (len(left) > 3)}" if left else ""


def _none(context: Context, seen: str) -> Finding:
    """One timer that is there and only not started is started; else a person has to choose."""
    names = {item.where for item in context.facts.renewers if item.vendor}
    there = [item.unit for item in context.facts.timers if item.unit in names and not item.active]
    if len(there) == 1 and not any(item.active for item in context.facts.timers):
        mend = Fix(("systemctl", "enable", "--now", there[0]))
        return _NONE.found("", f"nothing renews on this host: {there[0]} is off", seen, mend)
    return _NONE.found("", "nothing renews on this host", seen, Fix(("certtui",)))


def _ends_with_boot(context: Context, item: Renewer) -> bool:
    """Whether a reboot ends it. cron's own daemon has a check of its own."""
    timer = _timer(context, item)
    return timer is not None and timer.state in ("disabled", "enabled-runtime")


def _timer(context: Context, item: Renewer) -> Timer | None:
    found = (timer for timer in context.facts.timers if timer.unit == item.where)
    return next(found, None)


def _winner(active: Sequence[Renewer]) -> str:
    """Which comes first. Of scripts that run-parts starts the next time is not known."""
    known = [(item.next_run, item.where) for item in active if item.next_run is not None]
    if len(known) < len(active):
        return "whichever comes first wins"
    moment, where = min(known)
    return f"{where} comes first, at {moment:%Y-%m-%d %H:%M} UTC, and wins"


def _table(context: Context, renewers: Iterable[Renewer]) -> str:
    """Every renewer with its next and last run, those that come first at the top."""
    rows = [("what", "next run (UTC)", "last run (UTC)", "command")]
    far = datetime.max.replace(tzinfo=context.now.tzinfo)
    for item in sorted(renewers, key=lambda one: (not one.active, one.next_run or far, one.where)):
        timer = _timer(context, item)
        following = _moment(item.next_run) if item.active else "not active"
        last = _moment(timer.last_trigger) if timer else "-"
        rows.append((item.where, following, last, item.command))
    if len(rows) == 1:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join([*(word.ljust(width) for word, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    )


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"


CHECKS = (Check((_ONE, _NONE, _PARTLY, _SECOND, _VENDOR, _BOOT), _renewers),)
