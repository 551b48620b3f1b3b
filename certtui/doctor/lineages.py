"""Each certificate: can it be read, will certbot renew it, and has that been due for too long?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from certtui.doctor import window
from certtui.doctor.check import Check, Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.runs import applied_at
from certtui.host.facts import Lineage

_VALID = Kind("lineage.valid", Status.FAIL, "the certificate is valid and not due for renewal")
_UNREADABLE = Kind("lineage.unreadable", Status.FAIL, "certbot and certtui can read the lineage")
_EXPIRED = Kind("lineage.expired", Status.FAIL, "the certificate is renewed before it expires")
_OVERDUE = Kind("lineage.overdue", Status.FAIL, "the first runs that may renew it do")
_DUE = Kind("lineage.due", Status.WARN, "the next run renews it")
_OFF = Kind("lineage.autorenew-off", Status.WARN, "autorenew is on: certbot renew takes it up")
_NONE = Kind("lineage.none", Status.WARN, "at least one certificate")

#: Runs that may miss or fail before a due certificate counts as overdue.
_MISSES = 3


def _lineages(context: Context) -> Iterator[Finding]:
    yield from (_VALID.skip("", sentence) for sentence in context.facts.unreadable)
    if not context.facts.lineages and not context.facts.unreadable:
        fix = Fix(("certbot", "certonly"))
        yield _NONE.found("", "there is no certificate yet, so nothing to renew", fix=fix)
    for lineage in context.facts.lineages:
        yield from _lineage(context, lineage)


def _lineage(context: Context, lineage: Lineage) -> Iterator[Finding]:
    if lineage.error and lineage.not_after is None:
        if not context.is_root and "run as root" in lineage.error:
            yield _UNREADABLE.skip(lineage.name, lineage.error)
        else:
            yield _UNREADABLE.found(lineage.name, lineage.error, lineage.config)
        return
    yield _expiry(context, lineage)
    if not lineage.autorenew:
        yield _OFF.found(
            lineage.name,
            "autorenew is off: certbot renew passes it over",
            f"{lineage.config}: autorenew = False",
            Fix(("sed", "-i", r"s/^\s*autorenew\s*=.*/autorenew = True/", lineage.config)),
        )


def _expiry(context: Context, lineage: Lineage) -> Finding:
    command = context.plan.certbot.command if context.plan else "auto"
    certbot = context.facts.certbot(command)
    due = window.due_from(lineage, certbot.version_tuple if certbot else ())
    if lineage.not_after is None or due is None:
        return _UNREADABLE.found(lineage.name, "has no certificate", lineage.config)
    left = lineage.not_after - context.now
    evidence = f"{lineage.certificate}: valid until {lineage.not_after:%Y-%m-%d %H:%M} UTC"
    fix = _renew(context, lineage)
    if left <= timedelta(0):
        return _EXPIRED.found(lineage.name, f"expired {_days(-left)} ago", evidence, fix)
    if due > context.now:
        when = f"renewed from {due:%Y-%m-%d} on"
        return _VALID.ok(lineage.name, f"valid for {_days(left)} more, {when}", evidence)
    since = context.now - _could_renew(context, lineage, due)
    if since > _patience(context):
        message = f"due for {_days(since)} and not renewed; {_days(left)} until it expires"
        return _OVERDUE.found(lineage.name, message, evidence, fix)
    message = f"due now: the next run renews it; {_days(left)} until it expires"
    return _DUE.found(lineage.name, message, evidence)


def _could_renew(context: Context, lineage: Lineage, due: datetime) -> datetime:
    """Since when a run of ours could have renewed it: not before it was set up or configured."""
    moments = [due]
    if lineage.not_before:
        moments.append(lineage.not_before)
    config = context.host.info(lineage.config)
    if config:
        moments.append(datetime.fromtimestamp(config.mtime, context.now.tzinfo))
    try:
        applied = applied_at(context)
    except PermissionError:
        applied = None
    if applied:
        moments.append(applied)
    return max(moments)


def _patience(context: Context) -> timedelta:
    runs = context.plan.schedule.runs if context.plan else 2
    return timedelta(days=_MISSES / runs) + timedelta(hours=2)


def _renew(context: Context, lineage: Lineage) -> Fix:
    if context.plan:
        from certtui.render.places import renew_script

        return Fix((renew_script(context.plan),))
    return Fix(("certbot", "renew", "--cert-name", lineage.name))


def _days(length: timedelta) -> str:
    return window.left(length).removesuffix(" left")


CHECKS = (Check((_VALID, _UNREADABLE, _EXPIRED, _OVERDUE, _DUE, _OFF, _NONE), _lineages),)
