"""Status: certificates with what is left, runs to come and past, damaged files tolerated."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from certtui import status
from certtui.doctor.certificates import window
from certtui.host.facts import Facts, Lineage, Renewer, Service, Timer
from certtui.host.interface import FileInfo
from certtui.render.times import expected_job, next_runs
from tests.doctor.support import LOG, NOW, Applied, facts
from tests.facts.support import FakeHost
from tests.render.support import plan


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def timed(**changes: object) -> Facts:
    timer = Timer("certtui-renew.timer", "enabled", True, next_elapse=NOW + timedelta(hours=2))
    return facts(timers=(replace(timer, **changes),))  # type: ignore[arg-type]


def look(folder: Path, backend: str, found: Facts, now: datetime = NOW) -> status.Status:
    host = Applied(folder, backend, found)
    return status.look(host, found, host.plan, now=now)


def test_a_timer_says_exactly_when_it_elapses_next(tmp_path: Path) -> None:
    found = look(tmp_path, "systemd-timer", timed())
    assert found.next[0].earliest == found.next[0].latest == NOW + timedelta(hours=2)
    assert len(found.next) == status.SHOWN
    assert all(run.earliest < run.latest for run in found.next[1:])


def test_a_timer_that_is_not_active_schedules_nothing(tmp_path: Path) -> None:
    found = look(tmp_path, "systemd-timer", timed(active=False))
    assert found.next == ()
    assert found.notes[-1] == (
        "nothing is scheduled: certtui-renew.timer is inactive (see certtui doctor)"
    )


AT_JOB = Renewer("at", "at job 7", "exec /usr/local/sbin/certbot-at-block", True, False, ours=True)
CRON_LINE = Renewer("cron.d", "/etc/cron.d/certtui-renew:8", "x", True, False, ours=True)


def on_at(init: str, gone: str = "") -> Facts:
    """A host on which everything that at needs is well, but for what is gone."""
    renewers = {"job": AT_JOB, "cron": CRON_LINE}
    kept = tuple(item for name, item in renewers.items() if name != gone)
    atd = Service("atd", gone != "at", "atd.service", True, gone not in ("at", "atd"))
    found = replace(timed(active=gone != "timer"), renewers=kept, atd=atd)
    return replace(found, system=replace(found.system, init=init))


def moment_with_job(backend: str, found: Facts) -> datetime:
    """A moment at which a job has been in the queue for a while."""
    made = plan(schedule_backend=backend)
    moments = [NOW + timedelta(minutes=30 * half) for half in range(96)]
    return next(
        moment
        for moment in moments
        if (job := expected_job(made, found, moment))
        and job == expected_job(made, found, moment - timedelta(minutes=2))
    )


@pytest.mark.parametrize("backend", ["at-block", "at-random"])
@pytest.mark.parametrize("init", ["systemd", "other"])
def test_at_knows_its_next_five_runs(tmp_path: Path, backend: str, init: str) -> None:
    found = on_at(init)
    shown = look(tmp_path, backend, found)
    assert shown.next == next_runs(plan(schedule_backend=backend), found, NOW, 5)
    assert len(shown.next) == 5
    assert all(run.earliest == run.latest for run in shown.next)
    assert shown.notes == ()
    listed = status.to_json(shown)["schedule"]["next"]
    assert [item["earliest"] for item in listed] == [item["latest"] for item in listed]


@pytest.mark.parametrize("backend", ["at-block", "at-random"])
@pytest.mark.parametrize(
    ("init", "gone", "why"),
    [
        ("systemd", "timer", "certtui-renew.timer is inactive"),
        ("other", "cron", "cron starts nothing of certtui"),
        ("systemd", "job", "its job is not in at's queue"),
        ("other", "job", "its job is not in at's queue"),
        ("systemd", "atd", "atd does not run"),
        ("systemd", "at", "at is not installed"),
    ],
)
def test_at_without_one_of_its_parts_schedules_nothing(
    tmp_path: Path, backend: str, init: str, gone: str, why: str
) -> None:
    found = on_at(init, gone)
    shown = look(tmp_path, backend, found, moment_with_job(backend, found))
    assert shown.next == ()
    assert shown.notes[-1] == f"nothing is scheduled: {why} (see certtui doctor)"
    assert status.to_json(shown)["schedule"]["next"] == []
    assert max(len(line) for line in status.text(shown).splitlines()) <= 80


@pytest.mark.parametrize("backend", ["at-block", "at-random"])
def test_a_job_that_starts_before_the_queue_is_read_is_not_missed(
    tmp_path: Path, backend: str
) -> None:
    """The time is taken before the queue is read."""
    found = on_at("systemd", "job")
    job = expected_job(plan(schedule_backend=backend), found, moment_with_job(backend, found))
    assert job is not None
    assert len(look(tmp_path, backend, found, job - timedelta(seconds=1)).next) == 5


def test_a_block_whose_run_is_over_needs_no_job(tmp_path: Path) -> None:
    found = on_at("systemd", "job")
    made = plan(schedule_backend="at-block")
    hours = [NOW + timedelta(hours=hour) for hour in range(48)]
    over = next(hour for hour in hours if expected_job(made, found, hour) is None)
    assert len(look(tmp_path, "at-block", found, over).next) == 5


def test_a_job_that_atd_does_not_start_schedules_nothing(tmp_path: Path) -> None:
    found = on_at("systemd", "job")
    old = replace(AT_JOB, next_run=NOW - timedelta(minutes=9))
    stuck = replace(found, renewers=(*found.renewers, old))
    assert look(tmp_path / "stuck", "at-random", stuck).notes[-1] == (
        "nothing is scheduled: its job is overdue (see certtui doctor)"
    )
    # A long run is listed with its own minute; the next job is there.
    both = replace(stuck, renewers=(*stuck.renewers, replace(AT_JOB, next_run=NOW)))
    assert len(look(tmp_path / "both", "at-random", both).next) == 5


def test_a_user_does_not_see_the_queue(tmp_path: Path) -> None:
    found = on_at("systemd", "job")
    user = replace(found, system=replace(found.system, is_root=False))
    assert len(look(tmp_path, "at-random", user).next) == 5


def test_certificates_and_runs(tmp_path: Path) -> None:
    found = look(tmp_path, "cron", facts())
    (one,) = found.certificates
    assert (one.days_left, one.lifetime_days, one.due) == (80.0, 90.0, False)
    # certbot 2.1 begins 30 days before the end: 60 runs at 2 a day.
    assert one.tries_left == 60
    assert [run.result for run in found.last] == ["ok"]
    text = status.text(found)
    assert "  a.example.org  80 of 90 days  2026-05-21    60\n" in text
    assert max(len(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize(
    ("left", "words", "number"),
    [
        (timedelta(days=84, hours=23, minutes=59), "84 of 95 days", 84.99),
        (timedelta(days=84), "84 of 94 days", 84.0),
        (timedelta(days=84) - timedelta(seconds=1), "83 of 94 days", 83.99),
        (timedelta(days=3), "3 of 13 days", 3.0),
        (timedelta(hours=71, minutes=59), "71 h of 13 days", 2.99),
        (timedelta(minutes=59), "0 h of 10 days", 0.04),
        (timedelta(seconds=-1), "EXPIRED", -0.01),
    ],
)
def test_what_is_left_is_cut_and_never_rounded_up(
    tmp_path: Path, left: timedelta, words: str, number: float
) -> None:
    (one,) = facts().lineages
    found = look(tmp_path, "cron", facts(lineages=(replace(one, not_after=NOW + left),)))
    assert f"a.example.org  {words}  2026-" in status.text(found)
    assert status.to_json(found)["certificates"][0]["days_left"] == number


def test_the_wizard_cuts_as_well() -> None:
    from certtui.ask import welcome

    (one,) = facts().lineages
    almost = replace(one, not_after=NOW + timedelta(days=84) - timedelta(seconds=1))
    assert welcome._lineage(almost, NOW, (4, 0)) == "83 days left"


SCHEMA = json.loads((Path(__file__).parents[2] / "docs/status.schema.json").read_text("utf-8"))


def as_json(found: status.Status) -> dict[str, Any]:
    """What the command prints; valid by the schema."""
    data = json.loads(json.dumps({"schema_version": 1, **status.to_json(found)}))
    jsonschema.validate(data, SCHEMA)
    return dict(data)


def test_the_json_of_the_contract(tmp_path: Path) -> None:
    data = as_json(look(tmp_path, "cron", facts()))
    assert data["certificates"][0]["not_after"] == "2026-05-21T12:00:00Z"


def test_the_json_of_a_host_in_trouble_is_valid_too(tmp_path: Path) -> None:
    (well,) = facts().lineages
    ill = Lineage("z.example.org", "z.conf", error="z.conf is not UTF-8 text")
    host = Applied(tmp_path, "cron", facts())
    host.write("/var/lib/certtui/pending-deploy", "/etc/letsencrypt/live/a\x1b\n")
    host.write(LOG, f"junk\n2026-03-02T11:00:00Z cron drill 1 {'0' * 16} mail accepted\n")
    host.write("/var/lib/certtui/last-mail", "2026-03-02T11:00:00Z failed sendmail failed\n")
    found = facts(lineages=(well, replace(well, not_after=NOW - timedelta(days=1)), ill))
    data = as_json(status.look(host, found, host.plan, now=NOW))
    assert data["schedule"]["last"][0]["result"] == "drill"
    assert data["last_mail"]["sent"] is False
    assert data["trouble"]


def test_the_json_without_a_plan_is_valid_too() -> None:
    data = as_json(status.look(FakeHost(), facts(lineages=()), None, now=NOW))
    assert data["schedule"] == {"backend": None, "runs_per_day": None, "next": [], "last": []}


class Unseen(FakeHost):
    """A host whose folder of certtui's may not be looked into."""

    def info(self, path: str) -> FileInfo | None:
        if path.startswith("/etc/certtui/"):
            raise PermissionError(13, "Permission denied", path)
        return super().info(path)


def test_a_folder_that_may_not_be_looked_into_is_said() -> None:
    text = status.text(status.look(Unseen(), facts(), None, now=NOW))
    assert "needs root: sudo certtui status (not seen: the plan)" in text


def test_what_needs_a_person_comes_first(tmp_path: Path) -> None:
    (well,) = facts().lineages
    ill = Lineage("z.example.org", "z.conf", error="z.conf is not UTF-8 text")
    gone = replace(well, name="y.example.org", not_after=NOW - timedelta(days=1))
    host = Applied(tmp_path, "cron", facts())
    host.write("/var/lib/certtui/pending-deploy", "/etc/letsencrypt/live/a\x1b\n")
    host.write(LOG, "junk\n" + host.path(LOG).read_text())
    found = facts(lineages=(well, gone, ill))
    shown = status.text(status.look(host, found, host.plan, now=NOW))
    lines = shown.splitlines()
    assert lines[0].startswith("TROUBLE: 1 expired; 1 cannot be read; 1 renewed but not loaded")
    rows = [line.split() for line in lines if ".example.org" in line]
    assert [row[0] for row in rows] == ["y.example.org", "z.example.org", "a.example.org"]
    assert rows[0][1] == "EXPIRED"
    assert "    z.conf is not UTF-8 text" in lines
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
    assert "needs root: sudo certtui status (not seen: the plan)" in text
    assert "nothing is set up" not in text


def test_what_only_root_may_see_is_no_trouble() -> None:
    hidden = "may not be read by this user: run as root"
    some = tuple(Lineage(name, f"{name}.conf", error=f"{name}.conf {hidden}") for name in "ab")
    port = "who listens on port 80 may not be seen by this user: run as root"
    found = facts(lineages=some, unreadable=(port, "systemd cannot be asked"))
    shown = status.look(Unseen(), found, None, now=NOW)
    lines = status.text(shown, 200).splitlines()
    assert lines[0] == "How it stands needs root: sudo certtui status"
    assert [line.split()[1:3] for line in lines if line[:3] in ("  a", "  b")] == [
        ["needs", "root"]
    ] * 2
    assert [line for line in lines if "root" in line and line.startswith("note")] == [
        "note: needs root: sudo certtui status "
        "(not seen: the plan, 2 certificates, who listens on port 80)"
    ]
    assert "note: systemd cannot be asked" in lines
    assert not any(hidden in line for line in lines)
    assert as_json(shown)["trouble"] == []


def test_a_folder_of_certificates_that_only_root_may_see_is_not_no_certificate() -> None:
    folder = (
        "/etc/letsencrypt/renewal may not be read by this user: run as root to see certificates"
    )
    shown = status.look(Unseen(), facts(lineages=(), unreadable=(folder,)), None, now=NOW)
    assert status.text(shown).startswith("How it stands needs root: sudo certtui status\n")


def test_another_renewer_is_named_once_whatever_its_lines() -> None:
    lines = [Renewer("cron.d", f"/etc/cron.d/mine:{n}", "certbot", True, False) for n in (1, 2)]
    shown = status.look(FakeHost(), facts(renewers=tuple(lines)), None, now=NOW)
    assert [note for note in shown.notes if "renews here" in note] == [
        "/etc/cron.d/mine renews here"
    ]


def test_a_lifetime_ends_with_its_last_second() -> None:
    (one,) = facts().lineages
    issued = replace(one, not_before=NOW, not_after=NOW + timedelta(days=90, seconds=-1))
    assert window.lifetime(issued) == timedelta(days=90)
    assert window.tries_left(issued, NOW, 2, (4, 1)) == 60
