"""Is the clock right? Certificates are valid from a moment to a moment, and timers go by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from certtui.change.store import RUNS_LOG, STATE
from certtui.doctor.check import Check, Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.records import history
from certtui.host import container

_SYNC = Kind(
    "clock.synchronised",
    Status.WARN,
    "something keeps the clock right",
    "A clock that drifts starts renewals at other times than planned, and one that is far off lets "
    "the CA refuse them (RFC 8555 and TLS check dates) or takes a certificate that has run out for "
    "a valid one.",
)
_BEHIND = Kind(
    "clock.behind",
    Status.FAIL,
    "the clock is later than everything that was written by it",
    "A clock that went back starts no timer until it has caught up (systemd.timer(5), OnCalendar), "
    "and certbot takes no certificate for due.",
)

#: Seconds that a program may take to answer.
_TIMEOUT = 5.0

#: Set back by less than this, a clock was only put right.
_SLACK = timedelta(minutes=10)

#: Seconds since the boot in which a clock may still wait for its first answer.
_FRESH = 600.0


def _clock(context: Context) -> Iterator[Finding]:
    yield from _behind(context)
    inside = container.kind(context.host)
    if inside:
        yield _SYNC.skip("", f"this is a container ({inside}): its clock is the host's")
    else:
        yield _synchronised(context)


# ---- earlier than what it has written ------------------------------------------------------------


def _behind(context: Context) -> Iterator[Finding]:
    written = max(_written(context), default=None)
    if written is not None and written[0] > context.now + _SLACK:
        when, what = written
        yield _BEHIND.found(
            "",
            f"it is {context.now:%Y-%m-%d %H:%M} UTC here, but {what} is of a later time: "
            "the clock is behind now, or was ahead then",
            f"{what}: {when:%Y-%m-%d %H:%M UTC}",
            _switch_on(context),
        )


def _written(context: Context) -> Iterator[tuple[datetime, str]]:
    """Moments that have been, each with what tells of it; of certificates lineages tells."""
    try:
        applied = context.host.info(STATE)
        end = context.host.tail(RUNS_LOG, 4096) or b""
    except PermissionError:
        applied, end = None, b""
    if applied is not None:
        yield datetime.fromtimestamp(applied.mtime, timezone.utc), STATE
    # The last line that was written: a clock that was ahead once has written later times before.
    for line in reversed(end.splitlines()):
        last = history.parse(line).last
        if last is not None:
            yield last.time, f"the last run in {RUNS_LOG}"
            break


# ---- synchronised --------------------------------------------------------------------------------


def _synchronised(context: Context) -> Finding:
    for asked in (_timedatectl, _chrony, _ntpd):
        found = asked(context)
        if found is not None:
            return found
    return _SYNC.skip("", "neither timedatectl, chronyc nor ntpq can be asked here")


def _timedatectl(context: Context) -> Finding | None:
    """timedatectl(1), show: what the kernel says, whichever program keeps it (adjtimex(2))."""
    argv = ["timedatectl", "show", "-p", "NTPSynchronized", "-p", "NTP", "-p", "CanNTP"]
    said = context.host.run(argv, timeout=_TIMEOUT)
    known = dict(line.split("=", 1) for line in said.out.splitlines() if "=" in line)
    if not said.ok or "NTPSynchronized" not in known:
        return None
    if known["NTPSynchronized"] == "yes":
        return _SYNC.ok("", "synchronised")
    evidence = " ".join(said.out.split())
    if known.get("NTP") == "yes":
        return _not_yet(context, evidence)
    if known.get("CanNTP") == "yes":
        return _SYNC.found("", "nothing keeps the clock right", evidence, _SET_NTP)
    message = "nothing keeps the clock right: install an NTP service, such as chrony"
    return _SYNC.found("", message, evidence, _install(context))


_SET_NTP = Fix(("timedatectl", "set-ntp", "true"))


def _not_yet(context: Context, evidence: str) -> Finding:
    uptime = (context.host.read("/proc/uptime") or b"").split()
    if uptime and float(uptime[0]) < _FRESH:
        return _SYNC.skip("", "not synchronised yet: this host started a few minutes ago")
    message = "an NTP service runs, but no server has answered it: does the network let it through?"
    return _SYNC.found("", message, evidence)


def _switch_on(context: Context) -> Fix | None:
    if container.kind(context.host) or not context.host.which("timedatectl"):
        return None
    return _SET_NTP


def _install(context: Context) -> Fix | None:
    # timedated takes what Debian's package brings at once (its postinst starts it).
    if context.facts.system.package_manager != "apt":
        return None
    return Fix(("apt-get", "install", "-y", "systemd-timesyncd"))


def _chrony(context: Context) -> Finding | None:
    """chronyc(1), tracking: "Leap status" is "Not synchronised" until a server has answered."""
    said = context.host.run(["chronyc", "-n", "tracking"], timeout=_TIMEOUT)
    if not said.ok or "Leap status" not in said.out:
        return None
    (line,) = [line for line in said.out.splitlines() if line.startswith("Leap status")][:1]
    if "Not synchronised" in line:
        return _SYNC.found("", "chrony runs, but no server has answered it", line)
    return _SYNC.ok("", "synchronised by chrony")


def _ntpd(context: Context) -> Finding | None:
    """ntpq(8), rv: leap=11 is the alarm of a clock that is not synchronised (RFC 5905, 7.3)."""
    said = context.host.run(["ntpq", "-n", "-c", "rv 0 leap"], timeout=_TIMEOUT)
    if not said.ok or "leap=" not in said.out:
        return None
    if "leap=11" in said.out:
        return _SYNC.found("", "ntpd runs, but no server has answered it", said.out.strip())
    return _SYNC.ok("", "synchronised by ntpd")


CHECKS = (Check((_SYNC, _BEHIND), _clock),)
