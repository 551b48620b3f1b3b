"""When certbot begins to renew a lineage: by its own setting, else by its version's rule."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from certtui.plan import attempts

if TYPE_CHECKING:
    from certtui.host.facts import Lineage

_SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 7 * 86400,
    "month": 30 * 86400,
    "year": 365 * 86400,
}
_PART = re.compile(r"\s*(\d{1,6})\s*(second|minute|hour|day|week|month|year)s?\s*(?:,|and)?\s*")


def interval(text: str) -> timedelta | None:
    """``renew_before_expiry`` as a length of time; a bare number is days (certbot, storage.py).

    None for what certtui does not understand.
    """
    text = text.strip().lower()
    if text.isdigit() and len(text) <= 6:
        return timedelta(days=int(text))
    total, at = 0, 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return None
        total += int(part[1]) * _SECONDS[part[2]]
        at = part.end()
    return timedelta(seconds=total) if text else None


def left(length: timedelta) -> str:
    """How long a certificate is valid still, cut: "84 days left" is at least 84 whole days."""
    hours = length // timedelta(hours=1)
    if hours >= 72:
        return f"{hours // 24} days left"
    return f"{hours} hour{'' if hours == 1 else 's'} left"


def lifetime(lineage: Lineage) -> timedelta | None:
    """From the first to the last second of validity, both included; None without a certificate.

    RFC 5280, 4.1.2.5: what Let's Encrypt issues for 90 days ends a second before 90 days are over.
    """
    if lineage.not_before is None or lineage.not_after is None:
        return None
    return lineage.not_after - lineage.not_before + timedelta(seconds=1)


def before_expiry(lineage: Lineage, certbot: tuple[int, ...]) -> timedelta | None:
    """How long before expiry certbot of this version begins to try; None without a certificate.

    From certbot 4.1 the CA may ask for an earlier renewal (ARI, RFC 9773); never for a later one.
    """
    whole = lifetime(lineage)
    if whole is None:
        return None
    own = interval(lineage.renew_before_expiry)
    days = attempts.days_before_expiry(whole.total_seconds() / 86400, certbot)
    return min(own if own is not None else timedelta(days=days), whole)


def due_from(lineage: Lineage, certbot: tuple[int, ...]) -> datetime | None:
    """The moment from which certbot renews; None without a certificate."""
    before = before_expiry(lineage, certbot)
    if before is None or lineage.not_after is None:
        return None
    return lineage.not_after - before


def tries_left(lineage: Lineage, now: datetime, runs: int, certbot: tuple[int, ...]) -> int | None:
    """Runs between now, or the moment certbot begins to try, and expiry, at ``runs`` a day."""
    before = before_expiry(lineage, certbot)
    if before is None or lineage.not_after is None:
        return None
    left = min(before, lineage.not_after - now)
    return max(0, int(left / timedelta(days=1) * runs + 1e-9))
