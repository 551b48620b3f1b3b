"""What needs a person, in a few words each, the worst first."""

from __future__ import annotations

from collections.abc import Iterator

from certtui.status.model import CertificateStatus, Status


def urgency(item: CertificateStatus) -> tuple[int, float, str]:
    """Sorts the most urgent first: what is broken, what is due, then what expires first."""
    left = item.days_left if item.days_left is not None else 0.0
    if item.expired:
        rank = 0
    elif item.days_left is None or item.error:
        rank = 1
    elif item.is_served is False or item.overdue:
        rank = 2
    else:
        rank = 3 if item.due else 4
    return rank, left, item.name


def trouble(status: Status) -> list[str]:
    """Empty where nothing that is shown is amiss; doctor looks at much more."""
    return [*_certificates(status), *_runs(status)]


def _certificates(status: Status) -> Iterator[str]:
    found = status.certificates
    expired = sum(item.expired for item in found)
    if expired:
        yield f"{expired} expired"
    unreadable = sum(item.days_left is None and not item.hidden for item in found)
    if unreadable:
        yield f"{unreadable} cannot be read"
    faulty = sum(bool(item.error) and item.days_left is not None for item in found)
    if faulty:
        yield f"{faulty} with a fault"
    future = sum(item.not_before is not None and item.not_before > status.now for item in found)
    if future:
        yield f"{future} not valid yet"
    overdue = sum(item.overdue and not item.expired for item in found)
    if overdue:
        yield f"{overdue} overdue"
    states = [item.served.state for item in found]
    old = states.count("old")
    if old:
        yield f"{old} renewed but served as before"
    if states.count("other"):
        yield f"{states.count('other')} served with another certificate"
    if "silent" in states:
        yield "port 443 does not answer"
    if status.pending and not old:
        yield f"{len(status.pending)} renewed but not loaded"


def _runs(status: Status) -> Iterator[str]:
    if status.stopped:
        yield f"{status.stopped} is stopped"
    if status.unscheduled and status.certificates:
        yield "no run is scheduled"
    last = next((run for run in status.last if not run.is_drill), None)
    # What a deploy that failed has left is told by what is pending and by what is served.
    if last is not None and last.result not in ("ok", "locked", "deploy-failed"):
        yield f"the last run ended as {last.result}"
    if status.last_mail is not None and not status.last_mail.sent:
        yield "the last mail was not sent"
