"""The first pages, doctor and status, what a question says about this host, the test mail."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certtui.ask import explain, welcome
from certtui.ask.interview import Interview
from certtui.ask.session import Session
from certtui.doctor.finding import Finding, Fix, Status
from certtui.errors import Refused
from certtui.host.facts import Renewer, Service, WebServer
from certtui.host.interface import RealHost
from certtui.plan.fields import BY_KEY, FIELDS, Kind
from certtui.tui.choices import ChoiceList
from certtui.tui.folding import folded
from certtui.tui.screens.doctor_page import DoctorPage
from certtui.tui.screens.question import Question
from certtui.tui.screens.review import Review
from certtui.tui.screens.status_page import StatusPage
from certtui.tui.screens.text import Text
from certtui.tui.screens.welcome import Welcome
from tests.tui.driver import Driver, wizard
from tests.tui.support import NOW, facts, session

SIZES = [(60, 16), (80, 24), (120, 36)]

MENU = (
    ("Doctor", "what is wrong here, and what mends it"),
    ("Status", "certificates, next and last"),
)

FINDINGS = (
    Finding("certbot.installed", Status.OK, "/usr/bin/certbot", "answers: certbot 2.1.0"),
    Finding("mail.nobody", Status.WARN, "", "failures are silent", "", "somebody is told"),
    Finding("cron.daemon", Status.SKIP, "cron", "not needed: the plan uses systemd-timer"),
    Finding("clock.synchronised", Status.SKIP, "", "this is a container: its clock is the host's"),
    Finding(
        "renewers.vendor",
        Status.FAIL,
        "certbot.timer",
        "renews as well",
        "certtui-renew.timer: ours\ncertbot.timer: certbot -q renew",
        "one renewer: where there are two, the first one wins, without the other's hooks and mail",
        Fix(("systemctl", "disable", "--now", "certbot.timer")),
        "certbot.timer renews before ours can",
    ),
)

OURS = Renewer(
    "timer",
    "certtui-renew.timer",
    "/usr/local/sbin/certbot-renew-everything",
    True,
    False,
    True,
    NOW + timedelta(hours=3),
)


def many(number: int) -> tuple[Any, ...]:
    """Certificates with 5 days left and more, in no order."""
    base = facts().lineages[0]
    return tuple(
        replace(
            base,
            name=f"host{n:03}.example.com",
            not_after=NOW + timedelta(days=5 + n * 37 % number, hours=1),
        )
        for n in range(number)
    )


def interview(root: Path, **changes: Any) -> Interview:
    made = Interview(session(root))
    made.learn(facts(str(root / "certbot"), **changes))
    return made


async def known(driver: Driver) -> None:
    await driver.until(lambda: driver.app.interview.facts is not None)


# -- welcome ---------------------------------------------------------------------------------------

HOSTS: dict[str, dict[str, Any]] = {
    "nothing": {
        "certbots": (),
        "lineages": (),
        "mailer": None,
        "renewers": (),
        "webservers": (),
    },
    "two servers": {
        "webservers": (
            *facts().webservers,
            WebServer("apache", "/usr/sbin/apache2", "apache2.service", False, (), "2.4.57"),
        )
    },
    "a hundred": {"lineages": many(100)},
    "ours": {"renewers": (OURS, *facts().renewers)},
    "unseen": {
        "unreadable": tuple(
            f"/var/spool/{name} may not be read by this user: run as root to see every crontab"
            for name in ("cron/crontabs", "cron/tabs", "at")
        )
    },
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("host", HOSTS)
async def test_the_menu_is_always_in_view(tmp_path: Path, host: str, size: tuple[int, int]) -> None:
    found = facts(**HOSTS[host])
    async with wizard(
        tmp_path, size, found=found, before="The last apply was taken back.", doctor=tuple
    ) as driver:
        await known(driver)
        await driver.pilot.pause(0.1)
        lines = driver.text.splitlines()
        at = next(n for n, line in enumerate(lines) if line.startswith("> "))
        assert ("> Change the set-up" if host == "ours" else "> Set up renewal") in lines[at]
        for number, (name, note) in enumerate(MENU, 1):
            assert lines[at + number].startswith(f"  {name} ") and note in lines[at + number]
        assert any("The last apply was taken back." in line for line in lines[:at])
        # All that was found can be read: in view, or where PgDn leads.
        body = driver.app.body
        assert isinstance(body, Welcome)
        seen = driver.text
        if "PgDn more" in seen:
            for _ in range(5):
                await driver.press("pagedown")
                seen += driver.text
        for line in body._shown:
            assert line.strip() in seen


@pytest.mark.parametrize("lines", range(7))
async def test_a_page_that_just_fits_comes_to_rest(
    tmp_path: Path, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line of keys grows by PgDn, which takes a row away, which asks for PgDn."""
    calls: list[int] = []
    draw = Welcome.facts_arrived

    def counted(page: Welcome) -> None:
        calls.append(1)
        draw(page)

    monkeypatch.setattr(Welcome, "facts_arrived", counted)
    found = facts(lineages=many(5)[: lines + 1])
    before = "The apply of 12:00 finished: applied as reviewed."
    async with wizard(tmp_path, (60, 16), found=found, before=before, base=None) as driver:
        await known(driver)
        await driver.pilot.pause(0.3)
        assert "PgDn" not in driver.text and "Renewed by" in driver.text
        calls.clear()
        await driver.pilot.pause(0.3)
        assert calls == []


async def test_the_most_urgent_come_first_and_the_rest_is_counted(tmp_path: Path) -> None:
    broken = replace(facts().lineages[0], name="zzz.example.com", error="cannot be read")
    made = interview(tmp_path, lineages=(*many(100), broken))
    lines = [line for head, line in welcome.rows(made, most=4)][:4]
    assert lines[0].split() == ["zzz.example.com", "cannot", "be", "read"]
    assert "5 days left, overdue" in lines[1] and "6 days left, overdue" in lines[2]
    assert lines[3] == "and 98 more, 7 days left or more"


@pytest.mark.parametrize(("name", "domain"), [("web1.example.com", None), ("web1", "DOMAIN")])
def test_a_host_without_a_domain_names_none(tmp_path: Path, name: str, domain: str | None) -> None:
    made = interview(tmp_path, lineages=(), system=replace(facts().system, hostname=name))
    assert welcome.rows(made)[1] == ("", f"certbot certonly --nginx -d {domain or name}")


def test_an_own_renewal_window_counts(tmp_path: Path) -> None:
    early = replace(facts().lineages[0], renew_before_expiry="70 days")
    made = interview(tmp_path, lineages=(early,))
    assert "61 days left, overdue" in welcome.rows(made)[0][1]


def test_an_expired_one_says_since_when(tmp_path: Path) -> None:
    gone = replace(facts().lineages[0], not_after=NOW - timedelta(hours=30))
    made = interview(tmp_path, lineages=(gone,))
    assert "EXPIRED 30 hours ago" in welcome.rows(made)[0][1]


def test_renewed_by_names_ours_once_however_many_lines(tmp_path: Path) -> None:
    lines = tuple(
        replace(OURS, kind="cron.d", where=f"/etc/cron.d/certtui-renew:{n}", next_run=None)
        for n in range(9, 15)
    )
    stopped = replace(facts().renewers[0], active=False)
    made = interview(tmp_path, renewers=(stopped, *lines))
    found = [line for head, line in welcome.rows(made)][-2:]
    assert found == ["certtui: /etc/cron.d/certtui-renew, active", "certbot.timer, not active"]


def test_the_next_run_is_the_soonest(tmp_path: Path) -> None:
    later = replace(OURS, next_run=NOW + timedelta(days=8))
    made = interview(tmp_path, renewers=(later, OURS))
    moment = (NOW + timedelta(hours=3)).astimezone()
    assert welcome.rows(made)[-1] == (
        "Renewed by",
        f"certtui: certtui-renew.timer, next {moment:%a %H:%M}",
    )


def test_certificates_that_only_root_sees_are_not_none(tmp_path: Path) -> None:
    folder = tmp_path / "etc/letsencrypt/renewal"
    why = f"{folder} may not be read by this user: run as root to see certificates"
    made = interview(tmp_path, lineages=(), unreadable=(why,))
    rows = welcome.rows(made)
    assert rows[0] == ("Certificates", "only root may see them: sudo certtui")
    assert "none yet" not in str(rows) and "Not seen" not in str(rows)


async def test_a_normal_user_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certtui.ask.session.Session.may_apply", property(lambda self: False))
    async with wizard(tmp_path, (60, 16)) as driver:
        assert "You are not root: up to Review, then the line for sudo." in driver.text


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({}, "systemd timer, 2 a day, reload nginx"),
        ({"webserver.kind": "none"}, "systemd timer, 2 a day, no reload"),
        ({"schedule.times": ("03:10",)}, "systemd timer, 1 a day, reload nginx"),
        (
            {"schedule.backend": "cron", "webserver.action": "restart"},
            "cron, 2 a day, restart nginx",
        ),
    ],
)
def test_the_menu_says_what_the_answers_come_to(
    tmp_path: Path, answers: dict[str, Any], words: str
) -> None:
    made = interview(tmp_path)
    made.given.update(answers)
    assert welcome.set_up(made) == words


async def test_without_certbot_and_certificate_one_goes_on_to_the_command(tmp_path: Path) -> None:
    async with wizard(tmp_path, (60, 16), found=facts(**HOSTS["nothing"]), base=None) as driver:
        await known(driver)
        assert "not found: apt-get install -y certbot" in driver.text
        body = await driver.to_review()
        assert isinstance(body, Review)


# -- doctor ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_doctor_is_a_list_worst_first_with_the_mend_in_view(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with wizard(tmp_path, size, doctor=lambda: FINDINGS) as driver:
        await known(driver)
        await driver.press("d")
        await driver.until(lambda: "1 problem" in driver.text)
        assert "1 problem, 1 warning, 1 well, 1 skipped" in driver.text
        rows = [line for line in driver.text.splitlines() if line[2:6] in ("FAIL", "warn", "skip")]
        assert [row[2:6] for row in rows] == ["FAIL", "warn", "skip"]
        assert "> FAIL  certbot.timer: renews as well" in driver.text
        assert "  skip  clock: this is a container" in driver.text
        assert "not needed" not in driver.text
        assert "mend  systemctl disable --now certbot.timer" in driver.text
        assert "-- renewers.vendor --" in driver.text
        await driver.press("down")
        assert "-- mail.nobody --" in driver.text and "want  somebody is told" in driver.text
        await driver.press("up", "enter")
        assert isinstance(driver.app.body, Text)
        seen = ("seen  certtui-renew.timer: ours", "certbot.timer: certbot -q renew")
        for words in (*seen, "why   certbot.timer renews before"):
            assert words in driver.text
        await driver.press("escape", "escape")
        assert isinstance(driver.app.body, Welcome)


async def test_doctor_looks_again_on_r(tmp_path: Path) -> None:
    given = [FINDINGS, FINDINGS[:1]]
    async with wizard(tmp_path, doctor=lambda: given.pop(0)) as driver:
        await driver.press("d")
        await driver.until(lambda: "1 problem" in driver.text)
        await driver.press("r")
        await driver.until(lambda: "no problems, no warnings, 1 well" in driver.text)
        assert "renewers.vendor" not in driver.text


async def test_doctor_that_cannot_look_says_why(tmp_path: Path) -> None:
    def refuses() -> Sequence[Finding]:
        raise Refused("only root can look")

    async with wizard(tmp_path, doctor=refuses) as driver:
        await driver.press("d")
        await driver.until(lambda: "Nothing was looked at" in driver.text)
        assert "only root can look" in driver.text
        await driver.press("enter")
        assert isinstance(driver.app.body, DoctorPage)


async def test_a_folder_has_no_doctor(tmp_path: Path) -> None:
    """It looks at a running machine."""
    async with wizard(tmp_path) as driver:
        await known(driver)
        assert "Doctor" not in driver.text and "d doctor" not in driver.text
        await driver.press("d")
        assert isinstance(driver.app.body, Welcome)
        await driver.press("question_mark")
        assert "Doctor:" not in driver.text
        await driver.press("escape", "down", "enter")
        assert isinstance(driver.app.body, StatusPage)


async def test_keys_are_answered_while_doctor_looks(tmp_path: Path) -> None:
    go = threading.Event()

    def slow() -> Sequence[Finding]:
        go.wait(20)
        return FINDINGS

    async with wizard(tmp_path, doctor=slow) as driver:
        await known(driver)
        await driver.press("d")
        assert "looking at this host..." in driver.text
        start = time.monotonic()
        await driver.press("escape")
        assert isinstance(driver.app.body, Welcome)
        assert time.monotonic() - start < 2  # one pause of the pilot takes up to a second
        go.set()  # its answer finds nobody there
        await driver.pilot.pause(0.3)
        assert isinstance(driver.app.body, Welcome)


async def test_a_fault_in_doctor_is_a_sentence(tmp_path: Path) -> None:
    def refuses() -> Sequence[Finding]:
        raise Refused("the plan cannot be read")

    async with wizard(tmp_path, doctor=refuses) as driver:
        await driver.press("d")
        await driver.until(lambda: "the plan cannot be read" in driver.text)
        assert "r look again" in driver.text


# -- status ----------------------------------------------------------------------------------------


async def test_status_shows_what_the_command_prints(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await known(driver)
        await driver.press("down", "enter")
        assert isinstance(driver.app.body, StatusPage)
        await driver.until(lambda: "Last runs" in driver.text)
        for words in ("12 of 90 days", "61 of 90 days", "nothing is set up by certtui yet"):
            assert words in driver.text
        await driver.press("escape")
        assert isinstance(driver.app.body, Welcome)
        assert driver.app.body.query_one(ChoiceList).highlighted == 1


async def test_status_of_what_was_applied_has_the_runs_of_its_plan(tmp_path: Path) -> None:
    plan = tmp_path / "etc/certtui/plan.toml"
    plan.parent.mkdir(parents=True)
    log = tmp_path / "var/lib/certtui/runs.log"
    log.parent.mkdir(parents=True)
    log.write_text("2026-02-28T08:17:03Z systemd-timer failed 12 shop.example.org\n")
    made = session(tmp_path)
    assert made.base is not None
    plan.write_bytes(made.base.content)
    async with wizard(tmp_path, (60, 16)) as driver:
        await driver.press("s")
        await driver.until(lambda: "Next runs" in driver.text)
        assert "expires" in driver.text and "tries" in driver.text
        await driver.press("end")
        assert "failed" in driver.text and "systemd-timer" in driver.text
        # What goes on in a further line stands further in.
        assert max(len(line) for line in driver.text.splitlines()) <= 60


# -- what a question says about this host ----------------------------------------------------------


def scheduler(root: Path, **changes: Any) -> str:
    made = interview(root, **changes)
    return "\n".join(explain.below(made, BY_KEY["schedule.backend"]))


def test_an_own_crontab_is_named_and_stays(tmp_path: Path) -> None:
    own = Renewer("crontab", "/var/spool/cron/crontabs/root:3", "certbot renew", True, False)
    text = scheduler(tmp_path, renewers=(own,))
    assert f"{own.where} renews as well; it is your own and stays as it is." in text
    assert "switched off" not in text


def test_ours_is_no_other_renewer(tmp_path: Path) -> None:
    assert "certtui-renew.timer" not in scheduler(tmp_path, renewers=(OURS,))


def test_a_snap_may_come_back(tmp_path: Path) -> None:
    snap = Renewer("snap", "snap.certbot.renew.timer", "certbot -q renew", True, True)
    assert "snapd may turn it on again" in scheduler(tmp_path, renewers=(snap,))


def test_cron_without_its_folder_says_where_its_lines_go(tmp_path: Path) -> None:
    made = interview(tmp_path, has_cron_d=False)
    notes = explain.choices(made, BY_KEY["schedule.backend"])
    assert notes["cron"].startswith("works here in root's crontab: no /etc/cron.d")
    made = interview(tmp_path)
    assert "crontab" not in explain.choices(made, BY_KEY["schedule.backend"])["cron"]


@contextmanager
def zone(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    monkeypatch.setenv("TZ", name)
    time.tzset()
    try:
        yield
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("name", ["Asia/Tokyo", "Europe/Berlin", "America/New_York", "UTC"])
def test_five_runs_in_local_time_and_utc_fit_into_sixty_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with zone(monkeypatch, name):
        lines = scheduler(tmp_path, renewers=()).splitlines()
    assert len(lines) == 5 and lines[0].startswith("Next runs ")
    assert all(("UTC" in line) == line.endswith("UTC") for line in lines)
    assert all(line.count(":") == (2 if name == "UTC" else 4) for line in lines)
    assert max(len(line) for line in lines) <= 58


def test_another_day_in_utc_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zone(monkeypatch, "Pacific/Kiritimati"):  # UTC+14
        lines = scheduler(tmp_path, renewers=()).splitlines()
    assert lines[0].endswith("Sun 12:39-13:39 UTC") and "Mon 02 Mar 02:39-03:39" in lines[0]


@pytest.mark.parametrize("size", [(60, 16), (80, 24)])
async def test_the_scheduler_page_needs_no_scrolling_on_an_ordinary_host(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with wizard(tmp_path, size) as driver:
        await known(driver)
        await driver.press("enter", "enter")
        await driver.pilot.pause(0.1)
        assert "certbot.timer will be switched off (undo restores it)." in driver.text
        assert driver.text.count("-13:39") + driver.text.count("-01:39") == 5
        assert "PgDn" not in driver.text


async def test_a_small_window_says_that_there_is_more(tmp_path: Path) -> None:
    found = facts(
        atd=Service("atd", False),
        renewers=(
            *facts().renewers,
            Renewer("crontab", "/etc/crontab:12", "certbot renew", True, False),
        ),
    )
    async with wizard(tmp_path, (60, 16), found=found) as driver:
        await known(driver)
        await driver.press("enter", "enter", "down", "down")
        await driver.until(lambda: "PgDn more" in driver.text)
        await driver.press("pagedown", "pagedown")
        assert driver.text.count("-13:39") or "Tue 03 Mar" in driver.text


@pytest.mark.parametrize(
    ("version", "tries"),
    [("2.1.0", "60     60     60     13"), ("4.0.0", "60     42     30      6")],
)
def test_tries_follow_this_certbots_rule(tmp_path: Path, version: str, tries: str) -> None:
    made = interview(tmp_path)
    install = replace(facts().certbots[0], path=str(tmp_path / "certbot"), version=version)
    made.learn(facts(certbots=(install,)))
    text = "\n".join(explain.below(made, BY_KEY["schedule.runs_per_day"]))
    assert f"Tries before expiry     {tries}" in text
    assert "after 1,152 days" in text


@pytest.mark.parametrize("key", [f.key for f in FIELDS if f.kind in (Kind.STRINGS, Kind.MAPPING)])
@pytest.mark.parametrize("size", [(60, 16), (80, 24)])
async def test_a_typed_list_shows_how_it_is_read(
    tmp_path: Path, key: str, size: tuple[int, int]
) -> None:
    async with wizard(tmp_path, size) as driver:
        await known(driver)
        driver.app.go(driver.app.detour(Question(BY_KEY[key], detour=True)))
        await driver.until(lambda: isinstance(driver.app.body, Question))
        await driver.press("end", "ctrl+u", *"A=1")
        assert '{"A": "1"}' in driver.text or '["A=1"]' in driver.text
        await driver.press("space", "'")
        assert "Not yet a list: a quote is not closed" in driver.text
        assert "with quotes around spaces" in " ".join(driver.text.split())


@pytest.mark.parametrize("width", [58, 78, 118])
async def test_help_of_every_question_is_short_and_folded(tmp_path: Path, width: int) -> None:
    async with wizard(tmp_path) as driver:
        await known(driver)
        for field in FIELDS:
            driver.app.go(driver.app.detour(Question(field, detour=True)))
            body = driver.app.body
            await driver.until(lambda: driver.app.body is not body)  # noqa: B023 - used at once
            lines = list(folded(driver.app.body.help(), width))
            assert field.key in "\n".join(lines)
            assert max(len(line) for line in lines) <= width
            assert len(lines) <= 24
            assert "\n".join(lines).isascii()
            await driver.press("escape")


def test_folding_goes_on_where_a_line_began() -> None:
    assert list(folded(["  key  one two three", "plain words here"], 14)) == [
        "  key  one two",
        "       three",
        "plain words",
        "here",
    ]


# -- the test mail ---------------------------------------------------------------------------------


class Mailing(RealHost):
    """This machine with one mailer, or with none."""

    def __init__(self, program: Path | None) -> None:
        super().__init__()
        self.program = program

    def which(self, program: str) -> str | None:
        return str(self.program) if self.program and program == "sendmail" else None


def mailer(root: Path, text: str) -> Any:
    """What a session's mails are sent from; messages end up in ``root/mail``."""
    path = root / "sendmail"
    path.write_text(f"#!/bin/sh\n{text.replace('%', str(root))}\n")
    path.chmod(0o755)
    return lambda: Mailing(path)


async def mail_page(driver: Driver) -> None:
    await known(driver)
    driver.app.go(driver.app.ask(BY_KEY["mail.to"]))
    await driver.until(lambda: "F4 test mail" in driver.text)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["f4", "ctrl+t"])
async def test_a_test_mail_on_one_key(tmp_path: Path, key: str, size: tuple[int, int]) -> None:
    sends = mailer(tmp_path, 'echo "$@" >%/called; cat >%/mail')
    async with wizard(tmp_path, size, mails_from=sends) as driver:
        await mail_page(driver)
        await driver.press(*"admin@example.com", key)
        await driver.until(lambda: "Taken by sendmail (exit status 0)" in driver.text)
        assert "look into the mailbox of admin@example.com." in driver.text
        assert "To: admin@example.com\nSubject: [certtui] web1" in (tmp_path / "mail").read_text()
        assert (tmp_path / "called").read_text() == "-oi admin@example.com\n"
        # The answer was about that address.
        await driver.press("x")
        assert "Taken by" not in driver.text


async def test_what_is_no_address_is_not_sent_to(tmp_path: Path) -> None:
    sends = mailer(tmp_path, "cat >%/mail")
    async with wizard(tmp_path, mails_from=sends) as driver:
        await mail_page(driver)
        await driver.press("f4")
        assert "Type an address first" in driver.text
        await driver.press(*"admin@", "f4")
        assert "is not a mail address" in driver.text
        assert driver.app.interview.values()["mail.to"] == ""
    assert not (tmp_path / "mail").exists()


async def test_the_sender_of_the_plan_is_used(tmp_path: Path) -> None:
    sends = mailer(tmp_path, 'echo "$@" >%/called; cat >%/mail')
    async with wizard(tmp_path, mails_from=sends) as driver:
        await mail_page(driver)
        driver.app.interview.give("mail.from", "certs@example.com")
        await driver.press(*"root", "f4")
        await driver.until(lambda: "Taken by" in driver.text)
    assert (tmp_path / "called").read_text() == "-oi -f certs@example.com root\n"
    assert (tmp_path / "mail").read_text().startswith("From: certs@example.com\nTo: root\n")


async def test_a_refusal_is_shown_and_it_can_be_tried_again(tmp_path: Path) -> None:
    sends = mailer(
        tmp_path, "cat >/dev/null; [ -e %/well ] && exit 0; echo 'nosuch: unknown user'; exit 67"
    )
    async with wizard(tmp_path, (60, 16), mails_from=sends) as driver:
        await mail_page(driver)
        await driver.press(*"nosuch", "f4")
        await driver.until(lambda: "NOT SENT: sendmail ended with 67" in driver.text)
        assert "sendmail said: nosuch: unknown user" in driver.text
        (tmp_path / "well").touch()
        await driver.press("f4")
        await driver.until(lambda: "Taken by sendmail" in driver.text)
        assert "NOT SENT" not in driver.text


async def test_keys_are_answered_while_a_mailer_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certtui.ask.testmail._HURRY", 0.2)
    sends = mailer(tmp_path, "exec sleep 60")
    start = time.monotonic()
    async with wizard(tmp_path, mails_from=sends) as driver:
        await mail_page(driver)
        await driver.press(*"root", "f4")
        assert "Sending a test mail, at most 60 s..." in driver.text
        assert "F4 test mail" not in driver.text
        await driver.press("f4", "escape")
        assert isinstance(driver.app.body, Question)
        assert driver.app.body.field.key != "mail.to"
    # Leaving does not wait for the minute that a mailer gets.
    assert time.monotonic() - start < 30


async def test_without_a_mailer_the_command_is_shown(tmp_path: Path) -> None:
    found = facts(mailer=None)
    async with wizard(tmp_path, found=found, mails_from=lambda: Mailing(None)) as driver:
        await mail_page(driver)
        assert "Nothing here can send mail: apt-get install -y msmtp-mta" in driver.text
        await driver.press(*"root", "f4")
        await driver.until(lambda: "NOT SENT: nothing here can send mail" in driver.text)


async def test_a_folder_sends_no_mail(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await mail_page(driver)
        await driver.press(*"root", "f4")
        await driver.until(lambda: "No mail is sent here" in driver.text)


def plain(root: Path, monkeypatch: pytest.MonkeyPatch, *typed: str, **changes: Any) -> Session:
    """Runs the plain wizard on what is typed."""
    from certtui.plain import wizard as prompts

    answers = iter([*typed, "q"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    made = session(root, **changes)
    prompts.run(made)
    return made


def test_plain_sends_one_with_t(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sends = mailer(tmp_path, 'echo "$@" >>%/called; cat >%/mail')
    plain(tmp_path, monkeypatch, "", "", "", "t", "t no way", "t root", "t", mails_from=sends)
    said = capsys.readouterr().out
    assert "(t, or t ANSWER: test mail)" in said
    assert "Type an address first." in said
    assert "'no way' is not a mail address" in said
    assert said.count("Taken by sendmail (exit status 0)") == 2
    assert (tmp_path / "called").read_text() == "-oi root\n-oi root\n"
