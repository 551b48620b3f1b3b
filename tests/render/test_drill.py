"""The renew script in a fire drill: one mail by the same way, nothing else, and only when asked."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from email import message_from_string, policy
from pathlib import Path

import pytest

from tests.render.support import Machine, until
from tests.render.test_renew import FAILURE

ID = "0123456789abcdef"


def mark(machine: Machine, drill: str = ID, ahead: float = 200) -> Path:
    """The marker of a drill that ends in some seconds."""
    machine.state.mkdir(exist_ok=True)
    marker = machine.state / "drill"
    marker.write_text(f"{drill}\n{int(time.time() + ahead)}\n")
    return marker


@pytest.fixture
def timed(machine: Machine) -> Machine:
    """A machine whose renewals a timer starts."""
    machine.install(schedule_backend="systemd-timer")
    return machine


@pytest.fixture(params=["dash", "busybox sh", "bash --posix"])
def plain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    """A machine whose renewals cron starts, with each shell that may be /bin/sh."""
    made = Machine(tmp_path / "p", tuple(request.param.split()))
    made.mailer()
    made.server()
    made.certbot("exit 0")
    made.install(schedule_backend="cron")
    yield made
    made.clear()


@pytest.mark.parametrize("trigger", ["cron", "at"])
def test_a_drill_mails_and_does_nothing_else(plain: Machine, trigger: str) -> None:
    (plain.folder / "etc/renewal-hooks/post/certtui-reload").unlink()
    plain.install(schedule_backend="cron", notify_heartbeat_url="https://beats.example/x")
    plain.fake("curl", "exit 0")
    marker = mark(plain)
    (plain.state / "pending-deploy").write_text("/etc/letsencrypt/live/a\n")
    (plain.state / "mail-state").write_text("failing=1\nmailed=\nlocked=\n")
    done = plain.run(trigger=trigger, CERTTUI_DRILL=ID)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [plain.ran(name) for name in ("certbot", "sleep", "curl", "nginx")] == [[]] * 4
    assert not marker.exists()
    (line,) = plain.runs()
    assert re.fullmatch(rf"20\S+Z {trigger} drill \d+ {ID} mail accepted", line)
    assert plain.pending() == ["/etc/letsencrypt/live/a"]
    assert plain.mail_state() == {"failing": "1", "mailed": "", "locked": ""}
    (text,) = plain.mails()
    mail = message_from_string(text, policy=policy.default)
    assert mail["Message-ID"] == f"<certtui-drill-{ID}@web1.example.org>"
    assert mail["Subject"] == (
        f"[certtui] web1.example.org: fire drill: nothing failed (drill {ID})"
    )
    assert f"Drill:      {ID}" in mail.get_content()


def test_it_goes_through_the_very_call_of_a_failure(plain: Machine) -> None:
    plain.certbot(FAILURE)
    plain.run(trigger="cron")
    mark(plain)
    plain.run(trigger="cron", CERTTUI_DRILL=ID)
    assert len(plain.mails()) == 2
    assert len(set(plain.ran("sendmail"))) == 1
    heads = [mail.partition("\n\n")[0].splitlines() for mail in plain.mails()]
    names = [[line.partition(":")[0] for line in head] for head in heads]
    assert [name for name in names[1] if name != "Message-ID"] == names[0]


def test_it_is_good_for_one_run(plain: Machine) -> None:
    mark(plain)
    for _ in range(2):
        assert plain.run(trigger="cron", CERTTUI_DRILL=ID).returncode == 0
    assert len(plain.mails()) == 1
    assert plain.results() == ["drill"]
    assert plain.ran("certbot") == []
    assert "no fire drill of that id waits here" in plain.syslog()


@pytest.mark.parametrize("trigger", ["cron", "at", ""])
def test_a_real_run_in_the_same_minute_renews(plain: Machine, trigger: str) -> None:
    marker = mark(plain)
    assert plain.run(trigger=trigger).returncode == 0
    assert len(plain.ran("certbot")) == 1
    assert plain.results() == ["ok"]
    assert marker.exists()
    assert plain.mails() == []


def test_an_anchor_of_at_that_a_timer_starts_renews(machine: Machine) -> None:
    machine.install(schedule_backend="at-block", schedule_trigger="systemd")
    marker = mark(machine)
    machine.run(trigger="systemd-timer")
    assert len(machine.ran("certbot")) == 1
    assert marker.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ID,
        f"{ID}\n",
        f"{ID}\n\n",
        f"{ID}\n%(past)d\n",
        f"{ID}\n%(late)d\n",
        f"{ID}\n0%(soon)d\n",
        f"{ID}\n%(soon)d0000\n",
        f"{ID}\n$(touch x)\n",
        "0123456789ABCDEF\n%(soon)d\n",
        "0123\n%(soon)d\n",
        "a b c d e f a b \n%(soon)d\n",
        "$(touch /x)12345\n%(soon)d\n",
    ],
)
def test_an_expired_or_foreign_marker_keeps_no_renewal_away(timed: Machine, text: str) -> None:
    now = int(time.time())
    timed.state.mkdir()
    (timed.state / "drill").write_text(
        text % {"past": now - 1, "soon": now + 100, "late": now + 400}
    )
    done = timed.run(trigger="systemd-timer")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(timed.ran("certbot")) == 1
    assert timed.results() == ["ok"]
    assert timed.mails() == []


def test_a_directory_in_the_markers_place_keeps_no_renewal_away(timed: Machine) -> None:
    (timed.state / "drill").mkdir(parents=True)
    assert timed.run(trigger="systemd-timer").returncode == 0
    assert timed.results() == ["ok"]


def test_the_service_of_a_timer_takes_it_unasked(timed: Machine) -> None:
    mark(timed)
    assert timed.run(trigger="systemd-timer").returncode == 0
    assert timed.run(trigger="systemd-timer").returncode == 0
    assert timed.results() == ["drill", "ok"]
    assert len(timed.mails()) == len(timed.ran("certbot")) == 1


@pytest.mark.parametrize("trigger", ["cron", "at"])
def test_asked_for_another_drill_it_does_nothing(plain: Machine, trigger: str) -> None:
    marker = mark(plain)
    done = plain.run(trigger=trigger, CERTTUI_DRILL="fedcba9876543210")
    assert done.returncode == 0
    assert plain.ran("certbot") == plain.mails() == plain.runs() == []
    assert marker.exists()


def test_what_the_caller_exports_names_no_drill(plain: Machine) -> None:
    mark(plain)
    exported = {"DRILL": ID, "drill_id": ID, "DRILL_BY_UNIT": "1", "mail_id": "x"}
    assert plain.run(None, trigger="cron", **exported).returncode == 0
    assert plain.results() == ["ok"]


def test_what_the_caller_exports_names_no_trigger(plain: Machine) -> None:
    plain.run(trigger="cron", TRIGGER="manual")
    assert plain.runs()[0].split(" ")[1] == "cron"


def test_no_address_the_run_alone_is_proved(machine: Machine) -> None:
    machine.install(mail_to="")
    mark(machine)
    assert machine.run(trigger="cron", CERTTUI_DRILL=ID).returncode == 0
    assert machine.runs()[0].endswith(f" {ID} no mail is planned")
    assert machine.mails() == []


def test_a_mailer_that_fails_is_said(plain: Machine) -> None:
    mark(plain)
    plain.fake("sendmail", "echo 'cannot reach relay' >&2; exit 75")
    assert plain.run(trigger="cron", CERTTUI_DRILL=ID).returncode == 1
    assert plain.runs()[0].endswith(f" {ID} mail not sent: sendmail failed: cannot reach relay")
    assert not (plain.state / "mail-state").exists()


@pytest.mark.parametrize(
    ("does", "words"),
    [("exit 75", "exit status 75"), ("exit 124", "it gave no answer in 60 s")],
)
def test_a_mailer_that_fails_without_a_word(plain: Machine, does: str, words: str) -> None:
    mark(plain)
    plain.fake("sendmail", does)
    plain.run(trigger="cron", CERTTUI_DRILL=ID)
    assert plain.runs()[0].endswith(f" {ID} mail not sent: sendmail failed: {words}")


def test_where_there_is_no_sendmail_the_subject_tells_the_drill(plain: Machine) -> None:
    (plain.folder / "bin/sendmail").unlink()
    plain.fake("mail", "cat >/dev/null")
    mark(plain)
    assert plain.run(trigger="cron", CERTTUI_DRILL=ID).returncode == 0
    assert f"(drill {ID}) admin@example.com" in plain.ran("mail")[0]


def test_a_host_name_becomes_no_header(plain: Machine) -> None:
    plain.fake("hostname", "printf 'web1>\\nBcc: evil@example.com\\n'")
    mark(plain)
    plain.run(trigger="cron", CERTTUI_DRILL=ID)
    head = plain.mails()[0].partition("\n\n")[0]
    assert f"\nMessage-ID: <certtui-drill-{ID}@web1Bccevilexample.com>\n" in head
    assert "\nBcc:" not in head


# ---- last-mail ------------------------------------------------------------------------------


def test_the_last_mail_is_noted(machine: Machine) -> None:
    machine.install()
    noted = machine.state / "last-mail"
    machine.run(trigger="cron")
    assert not noted.exists()
    machine.certbot(FAILURE)
    machine.run(trigger="cron")
    assert re.fullmatch(
        r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ sent "
        r"\[certtui\] web1\.example\.org: renewal failed: shop\.example\.org\n",
        noted.read_text(),
    )
    assert noted.stat().st_mode & 0o777 == 0o600
    machine.fake("sendmail", "printf 'no\\nrelay\\303\\n' >&2; exit 75")
    machine.age("mailed", 25 * 3600)
    machine.run(trigger="cron")
    assert re.fullmatch(
        r"20\S+Z failed mail not sent: sendmail failed: no relay\n", noted.read_text()
    )
    assert not (machine.state / "last-mail.new").exists()


def test_the_post_hook_notes_it_as_well(machine: Machine) -> None:
    machine.install()
    machine.server(test=1)
    machine.run(machine.deploy_hook, RENEWED_LINEAGE="/etc/letsencrypt/live/a", mail_id="x")
    assert machine.run(machine.post_hook).returncode == 1
    assert " sent [certtui] " in (machine.state / "last-mail").read_text()
    assert "Message-ID" not in machine.mails()[0]


def test_what_a_mailer_says_of_a_mail_it_took_is_no_problem(machine: Machine) -> None:
    machine.install()
    machine.certbot(FAILURE)
    machine.fake("sendmail", "cat >/dev/null; echo queued")
    machine.run(trigger="cron")
    assert machine.runs()[0].endswith("renewal failed: shop.example.org")


@pytest.mark.parametrize(
    ("trigger", "value"),
    [
        ("manual", ID),
        ("systemd-timer", ID),
        ("cron", "*"),
        ("at", f"{ID}0"),
        ("cron", "A" * 16),
        ("cron", "????????????????"),
        ("cron", f"{ID}\n{ID}"),
    ],
)
def test_who_cannot_be_meant_renews_whatever_the_environment_says(
    plain: Machine, trigger: str, value: str
) -> None:
    plain.run(trigger=trigger, CERTTUI_DRILL=value)
    assert len(plain.ran("certbot")) == 1
    assert plain.runs()[0].split()[1:3] == [trigger, "ok"]


def test_half_a_line_in_the_log_does_not_take_the_next_run(plain: Machine) -> None:
    plain.state.mkdir(exist_ok=True)
    (plain.state / "runs.log").write_text("2026-11-24T21:")
    plain.run(trigger="cron")
    half, line = plain.runs()
    assert half == "2026-11-24T21:"
    assert line.split()[1:3] == ["cron", "ok"]


def test_a_drill_that_is_ended_says_nothing_of_the_mailer(timed: Machine) -> None:
    begun = timed.folder / "begun"
    timed.sleeps('exec /bin/sleep "$1"')
    timed.fake("sendmail", f"cat >/dev/null; : >{begun}; exec /bin/sleep 30")
    mark(timed)
    (timed.state / "last-mail").write_text("2026-01-01T00:00:00Z sent before\n")
    started = timed.start(CERTTUI_TRIGGER="systemd-timer")
    until(begun.exists)
    os.kill(started.pid, signal.SIGTERM)
    started.communicate(timeout=20)
    assert (timed.state / "last-mail").read_text() == "2026-01-01T00:00:00Z sent before\n"
    assert timed.runs()[0].split()[2] == "drill"
