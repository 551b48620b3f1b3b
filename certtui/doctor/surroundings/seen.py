"""What of the host could not be looked at, by anyone or by this user."""

from __future__ import annotations

from collections.abc import Iterator

from certtui.doctor.check import Check, Context, Kind
from certtui.doctor.finding import Finding, Status
from certtui.host.facts import Facts

_SEEN = Kind(
    "host.seen",
    Status.SKIP,
    "everything that other checks go by can be looked at",
    "Some of it only root may see, such as who listens on a port (proc(5), /proc/PID/fd): what "
    "depends on it is then not judged.",
)


def of_certificates(facts: Facts) -> tuple[str, ...]:
    """The sentences about certbot's own folder, which ``lineage.valid`` tells."""
    return tuple(one for one in facts.unreadable if "/renewal " in one)


def _seen(context: Context) -> Iterator[Finding]:
    told = of_certificates(context.facts)
    unseen = [one for one in context.facts.unreadable if one not in told]
    yield from (_SEEN.skip("", sentence) for sentence in unseen)
    if not unseen:
        yield _SEEN.ok("", "all of it could be looked at")


CHECKS = (Check((_SEEN,), _seen),)
