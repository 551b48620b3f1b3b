"""The status as a person reads it: the verdict, the most urgent first, lines that fit."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import jsonschema
import pytest

from certtui import status
from certtui.doctor.records.history import PastRun
from certtui.doctor.records.lastmail import LastMail
from certtui.host import served
from certtui.host.facts import Lineage, Renewer
from certtui.host.handshake import handshake
from certtui.host.served import Served, State
from certtui.render.times import Run
from certtui.status import CertificateStatus, Status
from tests.doctor.support import LOG, NOW, Applied, facts
from tests.facts.support import FakeHost
from tests.facts.test_served import NEW, OLD, A
from tests.facts.test_served import host as tls_host
from tests.facts.test_served import lineage as on_disk
from tests.facts.tls import listening, serving
from tests.render.support import NGINX
from tests.render.support import plan as some_plan

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/status.schema.json").read_text("utf-8"))
LONG = "a-very-long-name-of-one-of-our-many-customers.shop.example.org"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def one(name: str, days: float = 60, state: State = "same", **changes: object) -> CertificateStatus:
    made = CertificateStatus(
        name,
        (name,),
        NOW - timedelta(days=10),
        NOW + timedelta(days=days),
        90.0,
        days,
        60,
        False,
        False,
        "",
        Served(state, message=f"127.0.0.1:443 is {state}"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


RUNS = tuple(
    Run(NOW + timedelta(hours=h), NOW + timedelta(hours=h + 1)) for h in (3, 15, 27, 39, 51)
)


def shown(*certificates: CertificateStatus, **changes: object) -> Status:
    past = (PastRun(NOW - timedelta(hours=3), "systemd-timer", "ok", 12, ""),)
    made = Status(NOW, certificates, RUNS, past, (), (), None, "systemd-timer", 2, True)
    return replace(made, **changes)  # type: ignore[arg-type]


def lines(found: Status, width: int = 80) -> list[str]:
    return status.text(found, width).splitlines()


def test_the_first_line_is_the_verdict() -> None:
    assert lines(shown(one("a"), one("b", 12.9)))[0] == (
        "No trouble seen: 2 certificates, first expiry in 12 days; next run in 3 hours"
    )
    assert lines(shown(one("a", 1.5), next=()))[0] == (
        "No trouble seen: 1 certificate, first expiry in 36 hours"
    )
    soon = (Run(NOW + timedelta(minutes=5), NOW),)
    assert lines(shown(one("a"), next=soon))[0].endswith("next run in 5 min")
    assert lines(shown(next=(), unscheduled=True))[0] == "No certificate to renew."
    assert lines(shown(seen=False))[0] == "No certificate seen."


DRILL = PastRun(NOW, "at", "drill", 3, "0123456789abcdef mail accepted")
FAILED = PastRun(NOW, "at", "failed", 3, "no route to the CA")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (shown(one("a", -1)), "1 expired"),
        (shown(one("a", days_left=None, not_after=None, error="x")), "1 cannot be read"),
        (shown(one("a", error="its link is broken")), "1 with a fault"),
        (shown(one("a", overdue=True, due=True)), "1 overdue"),
        (shown(one("a", state="old")), "1 renewed but served as before"),
        (shown(one("a", not_before=NOW + timedelta(hours=2))), "1 not valid yet"),
        (shown(one("a", state="other")), "1 served with another certificate"),
        (shown(one("a", state="silent"), one("b", state="silent")), "port 443 does not answer"),
        (shown(one("a"), pending=("/x",)), "1 renewed but not loaded"),
        (shown(one("a"), next=(), unscheduled=True), "no run is scheduled"),
        (shown(one("a"), stopped="nginx"), "nginx is stopped"),
        (shown(one("a"), last=(DRILL, FAILED)), "the last run ended as failed"),
        (shown(one("a"), last_mail=LastMail(NOW, False, "x")), "the last mail was not sent"),
    ],
)
def test_each_trouble_has_its_words(found: Status, words: str) -> None:
    assert lines(found)[0] == f"TROUBLE: {words} (see certtui doctor)"
    assert status.to_json(found)["trouble"] == [words]


def test_what_is_no_trouble() -> None:
    well = shown(
        one("a", state="absent"),
        one("b", state="unknown"),
        one("c", state="nobody", due=True),
        last=(DRILL, replace(FAILED, result="locked"), FAILED),
        last_mail=LastMail(NOW, True, "x"),
    )
    assert status.to_json(well)["trouble"] == []


def test_a_deploy_that_failed_is_told_once() -> None:
    last = (replace(FAILED, result="deploy-failed"),)
    assert status.to_json(shown(one("a", state="old"), pending=("/x",), last=last))["trouble"] == [
        "1 renewed but served as before"
    ]
    assert status.to_json(shown(one("a"), last=last))["trouble"] == []


def test_the_most_urgent_come_first() -> None:
    unread = one("unread", days_left=None, not_after=None, error="no UTF-8 text")
    some = [
        one("well", 80),
        one("sooner", 50),
        one("due", 20, due=True),
        one("late", 25, due=True, overdue=True),
        one("old", 88, "old"),
        unread,
        one("gone", -1),
    ]
    rows = lines(shown(*some))
    first = rows.index("") + 2  # under the heads of the columns
    names = [line.split()[0] for line in rows[first : first + 8]]
    assert names == ["gone", "unread", "no", "late", "old", "due", "sooner", "well"]


def test_a_row_fits_and_says_all() -> None:
    found = lines(
        shown(one("a.test", 62.5, due=True), one("b.test", 3.2, "old", lifetime_days=6.7))
    )
    assert found[2:5] == [
        "Certificates  left           expires     tries     on 443",
        "  b.test      3 of 6.7 days  2026-03-05    60      OLD ONE",
        "  a.test      62 of 90 days  2026-05-04    60 due  yes",
    ]


def test_no_column_about_a_port_that_nobody_listens_on() -> None:
    assert "on 443" not in status.text(shown(one("a", state="nobody")))


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_lines_are_never_wider_than_the_page(width: int) -> None:
    found = shown(
        *(one(name, state="silent", due=True) for name in ("a.test", LONG[:30])),
        one("c.test", error="/etc/letsencrypt/renewal/c.test.conf is not what certbot writes: x"),
        last=(replace(FAILED, detail="word " * 60),),
        last_mail=LastMail(NOW, False, "[certtui] web1.example.org: word " * 5),
        notes=("/var/lib/certtui/runs.log: 1 lines are damaged and not shown " * 3,),
    )
    assert max(map(len, lines(found, width))) <= max(width, 60)
    assert max(map(len, lines(found, 80))) <= 80


def test_a_long_name_has_a_line_of_its_own_and_is_never_cut() -> None:
    found = lines(shown(one(LONG), one("b.test")))
    at = found.index(f"  {LONG}")
    assert found[at + 1].split() == ["60", "of", "90", "days", "2026-05-01", "60", "yes"]


def test_ten_thousand_certificates_are_twenty_and_a_count() -> None:
    many = [one(f"n{number}.test", 40 + number % 40) for number in range(9_998)]
    found = lines(shown(*many, one("gone.test", -3), one("old.test", 80, "old")))
    assert found[0].startswith("TROUBLE: 1 expired; 1 renewed but served as before")
    assert len([line for line in found if ".test" in line]) == status.report.MOST
    assert "  9,980 more: all valid for 40 days or longer (status --json lists them)" in found
    assert len(found) < 45
    assert len(status.to_json(shown(*many))["certificates"]) == 9_998


def test_what_is_wrong_with_those_that_are_not_shown_is_counted() -> None:
    many = [one(f"n{number}.test", -3) for number in range(30)]
    more = [one(f"o{number}.test", 50, "old") for number in range(5)]
    assert any(
        line.startswith("  15 more: 10 expired, 5 not served as on disk, the others valid for 50")
        for line in lines(shown(*many, *more))
    )


def test_runs_and_mail() -> None:
    mail = LastMail(NOW - timedelta(hours=1), True, "[certtui] web1: fire drill")
    found = lines(shown(one("a"), last=(DRILL, FAILED), last_mail=mail))
    assert "Next runs (2 a day by systemd-timer)" in found
    assert "  Mon 2026-03-02 15:00 to 16:00 UTC" in found
    at = found.index("Last runs")
    assert found[at + 1 : at + 5] == [
        "  Mon 2026-03-02 12:00 UTC  drill   at  3 s",
        "    0123456789abcdef mail accepted",
        "  Mon 2026-03-02 12:00 UTC  failed  at  3 s",
        "    no route to the CA",
    ]
    assert found[found.index("Last mail") + 1] == (
        "  Mon 2026-03-02 11:00 UTC  sent  [certtui] web1: fire drill"
    )
    assert "Last mail" not in lines(shown(one("a"), mails=False))
    assert lines(shown(one("a")))[-1] == "  none yet"


def test_a_terminal_is_told_nothing_by_what_was_found() -> None:
    odd = shown(
        one("a\x1b[2J", error="\x07\x1b]0;x"),
        pending=("/x\x1b",),
        last=(replace(FAILED, detail="\x1b[31m"),),
        last_mail=LastMail(NOW, True, "\x1b[2J"),
        notes=("\x1b",),
    )
    assert "\x1b" not in status.text(odd) and "\x07" not in status.text(odd)


# -- from the host's files -------------------------------------------------------------------------


def test_the_last_mail_is_read(tmp_path: Path) -> None:
    host = Applied(tmp_path, "cron", facts())
    host.write("/var/lib/certtui/last-mail", "2026-03-02T09:00:00Z failed no such user\n")
    found = status.look(host, facts(), host.plan, now=NOW)
    assert found.last_mail == LastMail(NOW - timedelta(hours=3), False, "no such user")
    assert status.to_json(found)["last_mail"] == {
        "time": "2026-03-02T09:00:00Z",
        "sent": False,
        "text": "no such user",
    }
    for junk in ("", "junk\n", "2026-99-99T09:00:00Z sent x\n"):
        host.write("/var/lib/certtui/last-mail", junk)
        found = status.look(host, facts(), host.plan, now=NOW)
        assert found.last_mail is None
        assert any("last-mail is damaged" in note for note in found.notes)


def test_a_web_server_that_is_stopped(tmp_path: Path) -> None:
    stopped = replace(NGINX, running=False, ports=())
    found = facts(webservers=(stopped,))
    host = Applied(tmp_path, "cron", found)
    assert status.look(host, found, host.plan, now=NOW).stopped == "nginx"
    assert status.look(host, found, host.plan, live=False, now=NOW).stopped == ""
    assert status.look(host, found, some_plan(webserver_kind="none"), now=NOW).stopped == ""
    assert status.look(host, facts(webservers=()), host.plan, now=NOW).stopped == ""


def test_a_host_that_nothing_renews(tmp_path: Path) -> None:
    nothing = facts(renewers=())
    found = status.look(FakeHost(), nothing, None, now=NOW)
    assert status.text(found).startswith("TROUBLE: no run is scheduled")
    other = Renewer("crontab", "root", "certbot renew", True, False)
    found = status.look(FakeHost(), facts(renewers=(other,)), None, now=NOW)
    assert status.text(found).startswith("No trouble seen: 1 certificate")


def test_a_user_is_not_told_that_there_is_nothing(tmp_path: Path) -> None:
    hidden = {LOG, "/var/lib/certtui/pending-deploy", "/var/lib/certtui/last-mail"}
    host = FakeHost(files=dict.fromkeys(hidden, b""), closed=hidden, root_user=False)
    found = facts(
        lineages=(), unreadable=("/etc/letsencrypt/renewal cannot be read: Input/output error",)
    )
    text = status.text(status.look(host, found, some_plan(), now=NOW))
    assert text.startswith("No certificate seen.")
    assert "needs root: sudo certtui status (not seen: the last runs)" in text
    assert "none yet" not in text


def test_runs_that_have_passed_a_due_certificate_over_make_it_overdue(tmp_path: Path) -> None:
    (well,) = facts().lineages
    late = replace(well, not_before=NOW - timedelta(days=61), not_after=NOW + timedelta(days=28.4))
    host = Applied(tmp_path, "cron", facts())

    def overdue(lineage: Lineage, *results: str) -> bool:
        moments = [NOW - timedelta(hours=12 * ago + 1) for ago in range(len(results))]
        rows = zip(reversed(moments), results, strict=True)
        host.write(LOG, "".join(f"{at:%Y-%m-%dT%H:%M:%SZ} cron {word} 9 \n" for at, word in rows))
        (found,) = status.look(host, facts(lineages=(lineage,)), host.plan, now=NOW).certificates
        return found.overdue

    assert overdue(late, "ok", "failed", "timeout")
    assert not overdue(late, "ok", "failed")
    assert not overdue(late, "ok", "drill", "drill", "locked", "ok")
    assert not overdue(well, "ok", "failed", "timeout")
    # Nothing notes the runs of others, and one that was just set up has had no chance.
    assert not overdue(replace(well, not_after=NOW + timedelta(days=28.1)), "ok")
    assert overdue(replace(well, not_after=NOW + timedelta(days=27.8)), "ok")
    assert not overdue(replace(well, not_after=NOW + timedelta(days=27.8)))
    assert overdue(replace(well, not_after=NOW + timedelta(minutes=1)))  # before any run


def test_one_that_another_covers_is_neither_served_nor_trouble() -> None:
    made = shown(one("a"), one("b", state="covered"))
    said = lines(made)
    assert said[0].startswith("No trouble seen")
    assert next(line for line in said if line.startswith("  b")).endswith("by another")
    data = status.to_json(made)
    assert [item["served"] for item in data["certificates"]] == [True, None]
    assert data["certificates"][1]["served_state"] == "covered"
    jsonschema.validate({"schema_version": 1, **data}, SCHEMA)


@pytest.mark.parametrize(("made", "state"), [(NEW, "same"), (OLD, "old")])
def test_what_is_served_is_seen_by_a_handshake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: object, state: str
) -> None:
    real = served.look
    host = tls_host(certificates={A: [OLD, NEW]})
    with listening(serving(tmp_path, made)) as port:  # type: ignore[arg-type]
        ask = partial(handshake, port=port)
        monkeypatch.setattr(served, "look", lambda host, some, seconds: real(host, some, ask=ask))
        found = status.look(host, facts(lineages=(on_disk(A),)), some_plan(), now=NOW)
        elsewhere = status.look(
            host, facts(lineages=(on_disk(A),)), some_plan(), live=False, now=NOW
        )
    (item,) = status.to_json(found)["certificates"]
    assert (item["served"], item["served_state"]) == (state == "same", state)
    assert (item["key"], item["issuer"], item["serial"]) == ("ECDSA P-256", "test", "2")
    (item,) = status.to_json(elsewhere)["certificates"]
    assert (item["served"], item["served_state"]) == (None, "unknown")
