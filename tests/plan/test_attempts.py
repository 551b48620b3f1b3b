"""Tries before expiry and the pause of a failing name, beside the figures of the design."""

from __future__ import annotations

import pytest

from certtui.plan import attempts


@pytest.mark.parametrize(
    ("certbot", "expected"),
    [((), [60, 42, 30, 6]), ((4, 0, 0), [60, 42, 30, 6]), ((2, 1, 0), [60, 60, 60, 13])],
)
def test_tries_at_two_a_day(certbot: tuple[int, ...], expected: list[int]) -> None:
    assert [attempts.tries(days, 2, certbot) for days in attempts.LIFETIMES] == expected


@pytest.mark.parametrize(("runs", "days"), [(1, None), (2, 1152), (10, 128), (24, 50)])
def test_days_until_paused(runs: int, days: int | None) -> None:
    assert attempts.days_until_paused(runs) == days
