"""How many tries a run count leaves before a certificate expires, and when Let's Encrypt pauses."""

from __future__ import annotations

#: Days: today's certificates, those from 2027-02-10, from 2028-02-16, and the short-lived profile.
LIFETIMES = (90.0, 64.0, 45.0, 6.7)

#: Let's Encrypt: failed authorisations of one name in a row before it is paused, refilled by one
#: a day (letsencrypt.org/docs/rate-limits, "Consecutive Authorization Failures").
PAUSE_AFTER = 1152


def days_before_expiry(lifetime: float, certbot: tuple[int, ...]) -> float:
    """Days before expiry at which a certbot of this version begins to renew.

    From 4.0 on when a third of the lifetime is left, or half of it for those of less than ten
    days; before that at a fixed 30 days (certbot's CHANGELOG, 4.0.0). An empty version counts as
    new.
    """
    if certbot and certbot < (4,):
        return min(30.0, lifetime)
    return lifetime / 2 if lifetime < 10 else lifetime / 3


def tries(lifetime: float, runs: int, certbot: tuple[int, ...] = ()) -> int:
    """Whole tries between the first that renews and expiry, at ``runs`` a day."""
    return int(days_before_expiry(lifetime, certbot) * runs + 1e-9)


def days_until_paused(runs: int) -> int | None:
    """Days until a name that fails at every run is paused; None if it never is (one run a day)."""
    return None if runs <= 1 else PAUSE_AFTER // (runs - 1)
