"""When a crontab's line is started next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from certtui.host.crontimes import following

#: A Monday.
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("when", "then"),
    [
        ("17 4 * * *", "2026-03-03 04:17"),
        ("0 12 * * *", "2026-03-03 12:00"),
        ("1 12 * * *", "2026-03-02 12:01"),
        ("0 */12 * * *", "2026-03-03 00:00"),
        ("*/20 * * * *", "2026-03-02 12:20"),
        ("5-59/30 13,15 * * *", "2026-03-02 13:05"),
        ("40/10 * * * *", "2026-03-02 12:40"),
        ("0 0 1 * *", "2026-04-01 00:00"),
        ("0 0 * * sun", "2026-03-08 00:00"),
        ("0 0 * * 7", "2026-03-08 00:00"),
        ("0 0 * JAN-feb Mon", "2027-01-04 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        # One of the two is enough where both are restricted, both are wanted where one begins "*".
        ("0 0 20 * fri", "2026-03-06 00:00"),
        ("0 0 */2 * fri", "2026-03-13 00:00"),
        ("@daily", "2026-03-03 00:00"),
        ("@Hourly", "2026-03-02 13:00"),
        ("@yearly", "2027-01-01 00:00"),
    ],
)
def test_the_next_time(when: str, then: str) -> None:
    found = following(when.split(), NOW)
    assert found is not None
    assert f"{found:%Y-%m-%d %H:%M}" == then


@pytest.mark.parametrize(
    "when",
    [
        "@reboot",
        "@sometimes",
        "0 0 30 2 *",
        "60 * * * *",
        "* * * *",
        "x * * * *",
        "5-1 * * * *",
        "",
    ],
)
def test_what_never_comes_or_is_no_time(when: str) -> None:
    assert following(when.split(), NOW) is None


def test_the_times_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XXX-2")
    time.tzset()
    assert following(["0", "3", "*", "*", "*"], NOW) == datetime(
        2026, 3, 3, 1, 0, tzinfo=timezone.utc
    )
