"""Each certificate: will certbot renew it, has that been due for too long, can a server load it?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from certtui.doctor.certificates import (
    certbot_commands,
    conf,
    keys,
    lateness,
    links,
    orphans,
    paths_of_another,
    window,
)
from certtui.doctor.certificates.lateness import Late
from certtui.doctor.check import Check, Context, Kind, needs_root
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.records import history
from certtui.doctor.surroundings import seen
from certtui.host.facts import Lineage

_VALID = Kind(
    "lineage.valid",
    Status.FAIL,
    "the certificate is valid and not due for renewal",
    "What the others of this group look for would end in an expired certificate.",
)
_UNREADABLE = Kind(
    "lineage.unreadable",
    Status.FAIL,
    "certbot and certtui can read the lineage",
    "certbot passes over a renewal configuration that it cannot read (renewal.py, reconstitute): "
    "its certificate expires.",
)
_EXPIRED = Kind(
    "lineage.expired",
    Status.FAIL,
    "the certificate is renewed before it expires",
    "Browsers and programs refuse to talk to the server.",
)
_FUTURE = Kind(
    "lineage.not-yet-valid",
    Status.FAIL,
    "the certificate is valid by now",
    "The clock of this machine is behind, or was ahead when the certificate was made: every "
    "judgement about due and expired is wrong, and so are the times of the runs.",
)
_OVERDUE = Kind(
    "lineage.overdue",
    Status.FAIL,
    "the first runs that may renew it do",
    "certbot renews when a third of the lifetime is left (before 4.0: 30 days): if several runs "
    "did not, the rest of them will not either.",
)
_EXPIRES = Kind(
    "lineage.expires-first",
    Status.FAIL,
    "the next run comes before a certificate expires",
    "The next run is too late for it: visitors are turned away from the moment it expires.",
)
_DUE = Kind(
    "lineage.due",
    Status.WARN,
    "the next run renews it",
    "That is as it should be for some hours; afterwards it is overdue.",
)
_OFF = Kind(
    "lineage.autorenew-off",
    Status.WARN,
    "autorenew is on: certbot renew takes it up",
    "certbot renew passes over a lineage with autorenew = False without a word "
    "(storage.py, autorenewal_is_enabled).",
)
_TWICE = Kind(
    "lineage.duplicate",
    Status.WARN,
    "each set of names has one lineage",
    "A second one (its name ends in -0001) is made by certonly with other options: both are "
    "renewed, which counts twice for the CA's limits, and the web server serves one of them.",
)
_NONE = Kind(
    "lineage.none",
    Status.WARN,
    "at least one certificate",
    "Nothing is renewed where certbot has no lineage of its own, also if a certificate is served.",
)

#: Seconds for looking at files: on a slow disk the rest is skipped, and that is said. The second
#: are those left where certbot took long to answer; the engine waits for 11 in all.
_ENOUGH, _LEAST = 8.0, 3.0


@dataclass
class _Round:
    """What holds for all lineages of one look, and the sets of names that it has met."""

    context: Context
    known: conf.Known
    openssl: keys.OpenSSL
    certbot: tuple[int, ...]
    record: lateness.Record
    deadline: float
    met: dict[tuple[object, ...], str] = field(default_factory=dict)

    @property
    def is_late(self) -> bool:
        return time.monotonic() > self.deadline


def _lineages(context: Context) -> Iterator[Finding]:
    facts = context.facts
    unseen = seen.of_certificates(facts)
    yield from (_VALID.skip("", sentence) for sentence in unseen)
    left_over = list(orphans.look(context))
    yield from left_over
    if not facts.lineages:
        if not unseen and not left_over:
            fix = certbot_commands.command(context, "certonly")
            yield _NONE.found("", "there is no certificate yet, so nothing to renew", fix=fix)
        return
    began = time.monotonic()
    plugins, silence = _plugins(context)
    if silence:
        yield conf.PLUGIN.skip("", silence)
    certbot = certbot_commands.used(context)
    look = _Round(
        context,
        conf.Known(context.host, plugins),
        keys.OpenSSL(context.host.root),
        certbot.version_tuple if certbot else (),
        _record(context),
        max(began + _ENOUGH, time.monotonic() + _LEAST),
    )
    for number, lineage in enumerate(facts.lineages):
        if look.is_late:
            left = f"{len(facts.lineages) - number} of {len(facts.lineages)}"
            yield _VALID.skip("", f"time was up: {left} certificates were not looked at")
            return
        yield from _lineage(look, lineage)


def _plugins(context: Context) -> tuple[frozenset[str] | None, str]:
    """certbot is asked only where some lineage needs what is not built in."""
    named = {name for one in context.facts.lineages for name in (one.authenticator, one.installer)}
    if not any(map(conf.foreign, named)):
        return conf.BUILT_IN, ""
    return certbot_commands.plugins(context)


def _lineage(look: _Round, lineage: Lineage) -> Iterator[Finding]:
    context = look.context
    hidden = not context.is_root and "run as root" in lineage.error
    if hidden:
        yield _UNREADABLE.skip(lineage.name, lineage.error)
    problems = [] if hidden else _files(look, lineage)
    yield from problems
    mistakes = list(conf.look(context, lineage, look.known))
    if not lineage.autorenew and not lineage.error:
        mistakes.append(_off(lineage))
    if not any(one.id == paths_of_another.ANOTHERS.id for one in problems):
        mistakes += _twice(look, lineage)
    yield from mistakes
    if lineage.not_after is not None:
        yield from _expiry(look, lineage, [*problems, *mistakes])
    elif not lineage.error and not problems:
        yield _UNREADABLE.found(lineage.name, "has no certificate", lineage.config)


def _files(look: _Round, lineage: Lineage) -> list[Finding]:
    """What is wrong with the links and with what they lead to, or why neither can be told."""
    context, unreadable = look.context, []
    if lineage.error:
        unreadable = [_UNREADABLE.found(lineage.name, lineage.error, lineage.config)]
    if not lineage.links:
        return unreadable
    try:
        files = links.look(context.host, lineage, partial(_renew, context, lineage))
        if isinstance(files, Finding):
            return [files]
        renew = partial(certbot_commands.renew_now, context, lineage)
        found = keys.look(context.host, lineage, files, look.openssl, renew)
    except PermissionError as error:
        if context.is_root:
            return [_UNREADABLE.found(lineage.name, f"{error.filename}: {error.strerror}")]
        return [_UNREADABLE.skip(lineage.name, needs_root(str(error.filename)))]
    except OSError as error:
        return [_UNREADABLE.found(lineage.name, f"{error.filename}: {error.strerror}")]
    damaged = any(one.id == keys.DAMAGED.id for one in found)
    return found if damaged else [*unreadable, *found]


def _off(lineage: Lineage) -> Finding:
    return _OFF.found(
        lineage.name,
        "autorenew is off: certbot renew passes it over",
        f"{lineage.config}: autorenew = False",
        Fix(("sed", "-i", r"s/^\s*autorenew\s*=.*/autorenew = True/", lineage.config)),
    )


def _twice(look: _Round, lineage: Lineage) -> Iterator[Finding]:
    """An RSA and an ECDSA certificate of the same names are a pair, not duplicates."""
    if not lineage.domains:
        return
    names = lineage.domains if len(lineage.domains) == 1 else tuple(sorted(lineage.domains))
    kind = (names, lineage.key_type, lineage.server)
    first = look.met.setdefault(kind, lineage.name)
    if first != lineage.name:
        yield _TWICE.found(
            lineage.name,
            f"covers the same names as {first}: see which one the web server uses, and "
            "delete the other with certbot delete --cert-name",
            f"{first}, {lineage.name}: {', '.join(names)}",
        )


def _expiry(look: _Round, lineage: Lineage, said: list[Finding]) -> Iterator[Finding]:
    """``said`` is what was found of this lineage before: it may explain why it is due."""
    context, now = look.context, look.context.now
    due = window.due_from(lineage, look.certbot)
    if lineage.not_after is None or lineage.not_before is None or due is None:
        return
    left = lineage.not_after - now
    evidence = f"{lineage.certificate}: valid until {lineage.not_after:%Y-%m-%d %H:%M} UTC"
    if left <= timedelta(0):
        message = f"expired {_days(-left)} ago"
        yield _EXPIRED.found(lineage.name, message, evidence, _renew(context, lineage))
    elif lineage.not_before > now:
        message = f"valid only in {_days(lineage.not_before - now)}: is the clock right?"
        since = f"{lineage.certificate}: valid from {lineage.not_before:%Y-%m-%d %H:%M} UTC"
        seen = f"{since}\nnow: {now:%Y-%m-%d %H:%M} UTC"
        yield _FUTURE.found(lineage.name, message, seen)
    elif due > now:
        if not said:
            when = f"renewed from {due:%Y-%m-%d} on"
            yield _VALID.ok(lineage.name, f"valid for {_days(left)} more, {when}", evidence)
    elif not any(map(_explains, said)):
        found = _due(look, lineage, left, evidence)
        if found.id != _DUE.id or not any(one.id == conf.ALWAYS.id for one in said):
            yield found


def _explains(found: Finding) -> bool:
    """Whether it says why the lineage is not renewed: the next thing to mend is that."""
    fails = found.status is Status.FAIL and found.id != keys.READABLE.id
    return fails or found.id in (_OFF.id, conf.INTERVAL.id)


def _due(look: _Round, lineage: Lineage, left: timedelta, evidence: str) -> Finding:
    context = look.context
    late = lateness.judge(lineage, look.record, context.now, look.certbot)
    fix, until = _renew(context, lineage), f"{_days(left)} until it expires"
    if late is Late.EXPIRES:
        following = look.record.next
        when = f", at {following:%Y-%m-%d %H:%M} UTC at the latest" if following else ""
        message = f"expires in {_days(left)}, which may be before the next run{when}"
        return _EXPIRES.found(lineage.name, message, evidence, fix)
    since = lateness.due_since(lineage, look.certbot)
    if late is Late.OVERDUE and since is not None:
        message = f"due for {_days(context.now - since)} and not renewed; {until}"
        return _OVERDUE.found(lineage.name, message, evidence, fix)
    return _DUE.found(lineage.name, f"due now: the next run renews it; {until}", evidence, fix)


def _record(context: Context) -> lateness.Record:
    """What is known of the runs; without root nothing is."""
    try:
        past = history.read(context.host).real
        return lateness.record(context.host, context.facts, context.plan, past, context.now)
    except PermissionError:
        return lateness.Record(context.host)


def _renew(context: Context, lineage: Lineage) -> Fix:
    if context.plan:
        from certtui.render.places import renew_script

        return Fix((renew_script(context.plan),))
    return Fix(("certbot", "renew", "--cert-name", lineage.name))


def _days(length: timedelta) -> str:
    return window.left(length).removesuffix(" left")


_KINDS = (_VALID, _UNREADABLE, _EXPIRED, _FUTURE, _OVERDUE, _EXPIRES, _DUE, _OFF, _TWICE, _NONE)

CHECKS = (Check((*_KINDS, *links.ALL, *keys.ALL, *conf.ALL, orphans.ORPHAN), _lineages),)
