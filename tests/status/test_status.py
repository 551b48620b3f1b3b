"""Status: certificates with what is left, runs to come and past, damaged files tolerated."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from certtui import status
from certtui.host.facts import Facts, Lineage, Timer
from tests.doctor.support import LOG, NOW, Applied, facts
from tests.facts.support import FakeHost


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def timed(**changes: object) -> Facts:
    timer = Timer("certtui-renew.timer", "enabled", True, next_elapse=NOW + timedelta(hours=2))
    return facts(timers=(replace(timer, **changes),))  # type: ignore[arg-type]


def look(folder: Path, backend: str, found: Facts) -> status.Status:
    host = Applied(folder, backend, found)
    return status.look(host, found, host.plan, now=NOW)


def test_a_timer_says_exactly_when_it_elapses_next(tmp_path: Path) -> None:
    found = look(tmp_path, "systemd-timer", timed())
    assert found.next[0].earliest == found.next[0].latest == NOW + timedelta(hours=2)
    assert len(found.next) == status.SHOWN
    assert all(run.earliest < run.latest for run in found.next[1:])


def test_a_timer_that_is_not_active_schedules_nothing(tmp_path: Path) -> None:
    found = look(tmp_path, "systemd-timer", timed(active=False))
    assert found.next == ()
    assert "is not active, so nothing is scheduled" in found.notes[-1]


def test_certificates_and_runs(tmp_path: Path) -> None:
    found = look(tmp_path, "cron", facts())
    (one,) = found.certificates
    assert (one.days_left, one.lifetime_days, one.due) == (80.0, 90.0, False)
    # certbot 2.1 begins 30 days before the end: 60 runs at 2 a day.
    assert one.tries_left == 60
    assert [run.result for run in found.last] == ["ok"]
    text = status.text(found)
    assert "a.example.org  80 days left  until 2026-05-21 12:00 UTC  60 tries left" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_json_of_the_contract(tmp_path: Path) -> None:
    data = json.loads(json.dumps(status.to_json(look(tmp_path, "cron", facts()))))
    assert {"certificates", "schedule", "pending_deploy"} <= set(data)
    assert set(data["schedule"]) == {"next", "last"}
    assert data["certificates"][0]["not_after"] == "2026-05-21T12:00:00Z"


def test_what_needs_a_person_comes_first(tmp_path: Path) -> None:
    (well,) = facts().lineages
    ill = Lineage("z.example.org", "z.conf", error="z.conf is not UTF-8 text")
    gone = replace(well, name="y.example.org", not_after=NOW - timedelta(days=1))
    host = Applied(tmp_path, "cron", facts())
    host.write("/var/lib/certtui/pending-deploy", "/etc/letsencrypt/live/a\x1b\n")
    host.write(LOG, "junk\n" + host.path(LOG).read_text())
    found = facts(lineages=(well, gone, ill))
    shown = status.text(status.look(host, found, host.plan, now=NOW))
    rows = shown.splitlines()[1:4]
    assert [row.split()[0][0] for row in rows] == ["z", "y", "a"]
    assert "unknown: z.conf is not UTF-8 text" in rows[0]
    assert "EXPIRED" in rows[1]
    assert "Renewed, but not loaded by the web server yet" in shown
    assert "1 lines are damaged" in shown
    assert "\x1b" not in shown


def test_without_a_plan_it_says_so() -> None:
    found = status.look(FakeHost(), facts(lineages=(), renewers=()), None, now=NOW)
    text = status.text(found)
    assert "nothing is set up by certtui yet: run certtui for the wizard" in text
    assert "nothing renews certificates on this host" in text
    assert "no certificate yet" in text


def test_a_plan_that_only_root_may_read_is_not_no_plan() -> None:
    host = FakeHost(files={"/etc/certtui/plan.toml": b""})
    text = status.text(status.look(host, facts(), None, now=NOW))
    assert "/etc/certtui/plan.toml may be read by root only: sudo certtui status" in text
    assert "nothing is set up" not in text
