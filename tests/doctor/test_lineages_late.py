"""Is a certificate that is due renewed in time? No apply and no check of certbot hides it."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from certtui.doctor.certificates import lateness, window
from certtui.doctor.certificates import lineages as checks
from certtui.doctor.certificates.lateness import Late, Record
from certtui.doctor.check import Context
from certtui.doctor.finding import Status
from certtui.host.facts import Lineage
from certtui.host.interface import RealHost
from certtui.host.lineages import lineages
from certtui.render import times
from tests import trees
from tests.render.support import facts, plan

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
V4 = (4, 0, 0)


def lineage(left: timedelta, **more: str) -> Lineage:
    """One of 90 days, with so much of them left: certbot renews it from 30 days before the end."""
    end = NOW + left - timedelta(seconds=1)
    begin = NOW + left - 90 * DAY
    config = more.pop("config", "/gone.conf")
    return Lineage("a", config, not_before=begin, not_after=end, **more)  # type: ignore[arg-type]


def judge(
    left: timedelta, *, tried: int = 0, every: timedelta = 12 * HOUR, **known: datetime
) -> Late:
    runs = tuple(NOW - HOUR - every * number for number in reversed(range(tried)))
    record = Record(RealHost(), runs, known.get("applied"), known.get("next"))
    return lateness.judge(lineage(left), record, NOW, V4)


def test_it_is_overdue_after_three_runs_or_two_days() -> None:
    assert judge(31 * DAY, tried=9) is Late.NO
    assert judge(29 * DAY, tried=2) is Late.DUE
    assert judge(28.2 * DAY, tried=2) is Late.DUE
    assert judge(28.2 * DAY, tried=3) is Late.OVERDUE
    assert judge(29.9 * DAY, tried=3) is Late.DUE  # two of them came before it was due
    assert judge(27 * DAY, tried=1) is Late.OVERDUE


def test_an_apply_excuses_only_where_no_run_is_noted_yet() -> None:
    assert judge(10 * DAY) is Late.OVERDUE
    assert judge(10 * DAY, applied=NOW - HOUR) is Late.DUE
    assert judge(10 * DAY, applied=NOW - 3 * DAY) is Late.OVERDUE
    assert judge(10 * DAY, applied=NOW + DAY) is Late.OVERDUE
    assert judge(10 * DAY, applied=NOW - HOUR, tried=1) is Late.OVERDUE
    assert judge(2 * DAY, applied=NOW - HOUR) is Late.OVERDUE  # the end is as near as that


def test_a_new_interval_excuses_until_the_next_run(tmp_path: Path) -> None:
    conf = tmp_path / "a.conf"
    conf.touch()
    os.utime(conf, times=((NOW - HOUR).timestamp(),) * 2)
    own = lineage(50 * DAY, renew_before_expiry="60 days", config=str(conf))
    before, after = NOW - 2 * HOUR, NOW - HOUR / 2
    assert lateness.judge(own, Record(RealHost(), (before,)), NOW, V4) is Late.DUE
    assert lateness.judge(own, Record(RealHost(), (before, after)), NOW, V4) is Late.OVERDUE
    plain = lineage(20 * DAY, config=str(conf))
    assert lateness.judge(plain, Record(RealHost(), (before,)), NOW, V4) is Late.OVERDUE


def test_it_may_expire_before_the_next_run() -> None:
    assert judge(20 * HOUR) is Late.EXPIRES
    assert judge(26 * HOUR, applied=NOW) is Late.OVERDUE
    assert judge(20 * HOUR, next=NOW + 21 * HOUR) is Late.EXPIRES
    assert judge(20 * HOUR, next=NOW + 19 * HOUR) is Late.OVERDUE


def test_doctor_says_when_the_next_run_is_too_late(tmp_path: Path) -> None:
    trees.make(tmp_path / "le", 1)
    known = facts(lineages=lineages(RealHost(), str(tmp_path / "le"))[0])
    chosen = plan()
    (one,) = known.lineages
    assert one.not_after is not None
    # A minute before the end, and the next run is further away than that.
    now = one.not_after - timedelta(minutes=1)
    while times.next_runs(chosen, known, now, 1)[0].latest < one.not_after:
        now -= timedelta(minutes=1)  # pragma: no cover - only where a run is that near
    (found,) = (
        each
        for each in checks.CHECKS[0].run(Context(RealHost(), known, chosen, now=now))
        if each.status is not Status.OK
    )
    assert (found.id, found.status) == ("lineage.expires-first", Status.FAIL)
    assert found.fix is not None
    assert found.fix.argv == ("/usr/local/sbin/certbot-renew-everything",)


@pytest.mark.parametrize(
    ("length", "text"),
    [(HOUR, "1 hour left"), (HOUR / 2, "0 hours left"), (3 * DAY, "3 days left")],
)
def test_lengths_are_english(length: timedelta, text: str) -> None:
    assert window.left(length) == text
