"""What could not be looked at is told once, under what it is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from certtui.doctor import report
from certtui.doctor.finding import Status
from certtui.doctor.registry import run_checks
from tests.doctor.support import Applied, context, facts

PORT = "who listens on port 80 may not be seen by this user: run as root"
FOLDER = "/etc/letsencrypt/renewal may not be read by this user: run as root to see certificates"


def test_what_is_not_about_certificates_is_not_filed_under_them(tmp_path: Path) -> None:
    host = Applied(tmp_path, "cron", facts())
    user = replace(facts().system, is_root=False)
    found = run_checks(context(host, facts(unreadable=(PORT, FOLDER), system=user)))
    told = {one.id for one in found if one.message == PORT}
    assert told == {"host.seen"}
    assert {one.id for one in found if one.message == FOLDER} == {"lineage.valid"}
    assert "need root" in report.summary(found)


def test_where_all_could_be_seen_it_says_so(tmp_path: Path) -> None:
    (said,) = run_checks(context(Applied(tmp_path, "cron", facts())), ["host"])
    assert (said.id, said.status) == ("host.seen", Status.OK)
