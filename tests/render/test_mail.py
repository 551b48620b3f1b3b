"""Who is told, and when: exactly one mail for what a person must know."""

from __future__ import annotations

import time
from email import message_from_string, policy
from pathlib import Path

import pytest

from tests.render.support import Machine
from tests.render.test_renew import FAILURE

HOUR = 3600


def test_the_text_of_the_mail(machine: Machine) -> None:
    machine.install(mail_from="certs@example.com")
    log = machine.folder / "log/letsencrypt.log"
    log.write_text("2026-01-01 00:00:00,001:DEBUG:x:old\nDetail: an old failure\n")
    # The words of certbot 5.8 and 2.1, where -q leaves the CA's reasons to the log.
    machine.certbot(
        f"cat >>{log} <<END\n"
        "Certbot failed to authenticate some domains (authenticator: nginx).\n"
        "  Identifier: shop.example.org\n"
        "  Type:   unauthorized\n"
        "  Detail: 192.0.2.1: Invalid response from http://shop.example.org/: 404\n"
        "END\n" + FAILURE
    )
    machine.run(trigger="cron")
    (text,) = machine.mails()
    mail = message_from_string(text, policy=policy.default)
    assert mail["To"] == "admin@example.com"
    assert mail["From"] == "certs@example.com"
    assert mail["Subject"] == "[certtui] web1.example.org: renewal failed: shop.example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime is not None
    body = mail.get_content()
    assert "Host:         web1.example.org" in body
    assert "Certificates: shop.example.org" in body
    assert "shop.example.org: Some challenges have failed." in body
    assert "Detail: 192.0.2.1: Invalid response from http://shop.example.org/: 404" in body
    assert "an old failure" not in body
    for step in ("certtui dry-run", "certtui doctor", str(log)):
        assert step in body
    assert machine.ran("sendmail") == ["-oi -f certs@example.com admin@example.com"]


def test_a_log_that_certbot_began_anew(machine: Machine) -> None:
    log = machine.folder / "log/letsencrypt.log"
    log.write_text("2026-01-01 00:00:00,001:DEBUG:x:old\n")
    machine.install()
    machine.certbot(
        f"mv {log} {log}.1; printf '2026-01-01 00:00:00,002:x\\nDetail: new\\n' >{log}; exit 1"
    )
    machine.run(trigger="cron")
    assert "  Detail: new\n" in machine.mails()[0]


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Failed to renew certificate a.example with error: x", "a.example"),
        (
            "Attempting to renew cert (a.example) from /e/a.conf produced an unexpected error: x",
            "a.example",
        ),
        ("Renewal configuration file /e/renewal/a.example.conf is broken.", "a.example"),
        (
            "Renewal configuration file /e/renewal/b.conf (cert: b) produced an unexpected error",
            "b",
        ),
        ("  /etc/letsencrypt/live/a.example/fullchain.pem (failure)", "a.example"),
        (
            "  /etc/letsencrypt/live/a/fullchain.pem (failure)\n"
            "  /etc/letsencrypt/live/b/fullchain.pem (failure)\n"
            "  /etc/letsencrypt/live/a/fullchain.pem (failure)",
            "a, b",
        ),
    ],
)
def test_names_as_every_certbot_tells_them(machine: Machine, said: str, names: str) -> None:
    machine.install()
    machine.certbot(f"cat >&2 <<'END'\n{said}\nEND\nexit 1")
    machine.run(trigger="cron")
    assert f"Subject: [certtui] web1.example.org: renewal failed: {names}\n" in machine.mails()[0]


def test_no_output_becomes_a_header(machine: Machine) -> None:
    machine.install()
    evil = "a\\rBcc:\\tevil@example.com\\303\\244"
    machine.certbot(f"printf 'Failed to renew certificate {evil} with error: x\\n'\nexit 1")
    machine.fake("hostname", "printf 'web1\\nBcc: evil@example.com\\n'")
    machine.run(trigger="cron")
    head = machine.mails()[0].partition("\n\n")[0]
    names = [line.partition(":")[0] for line in head.split("\n")]
    assert names == [
        *("To", "Subject", "Date", "Auto-Submitted", "MIME-Version", "Content-Type"),
        "Content-Transfer-Encoding",
    ]
    assert "\r" not in head


def test_failure_mails_once_then_daily_and_the_recovery(machine: Machine) -> None:
    machine.install()
    machine.certbot(FAILURE)
    for _ in range(3):
        machine.run(trigger="cron")
    assert len(machine.mails()) == 1
    machine.age("mailed", 20 * HOUR)
    machine.run(trigger="cron")
    assert len(machine.mails()) == 1
    machine.age("mailed", 4 * HOUR)
    machine.age("failing", 24 * HOUR)
    machine.run(trigger="cron")
    assert len(machine.mails()) == 2
    assert "Failing for:  24 hours" in machine.mails()[1]
    machine.run(trigger="cron")
    assert len(machine.mails()) == 2
    machine.certbot("exit 0")
    machine.run(trigger="cron")
    machine.run(trigger="cron")
    assert len(machine.mails()) == 3
    assert "Subject: [certtui] web1.example.org: renewal works again" in machine.mails()[2]
    assert machine.mail_state() == {}
    assert not (machine.state / "mail-state").exists()
    machine.certbot(FAILURE)
    machine.run(trigger="cron")
    assert len(machine.mails()) == 4
    assert (machine.state / "mail-state").stat().st_mode & 0o777 == 0o600


def test_one_run_a_day_that_comes_an_hour_early_still_mails_daily(machine: Machine) -> None:
    machine.install()
    machine.certbot(FAILURE)
    machine.run(trigger="cron")
    machine.age("mailed", 23 * HOUR)
    machine.run(trigger="cron")
    assert len(machine.mails()) == 2


def test_a_clock_set_back_silences_nothing(machine: Machine) -> None:
    machine.install()
    machine.certbot(FAILURE)
    machine.run(trigger="cron")
    machine.age("mailed", -1000 * HOUR)
    machine.run(trigger="cron")
    assert len(machine.mails()) == 2


def test_every_failure(machine: Machine) -> None:
    machine.install(mail_on="every-failure")
    machine.certbot(FAILURE)
    machine.run(trigger="cron")
    machine.run(trigger="cron")
    assert len(machine.mails()) == 2
    machine.certbot("exit 0")
    machine.run(trigger="cron")
    assert len(machine.mails()) == 2


def test_always(machine: Machine) -> None:
    machine.install(mail_on="always")
    machine.run(trigger="cron")
    machine.certbot(FAILURE)
    machine.run(trigger="cron")
    assert len(machine.mails()) == 2
    assert "renewal run ended well" in machine.mails()[0]


def test_no_address_no_mail(machine: Machine) -> None:
    machine.install(mail_to="")
    machine.certbot(FAILURE)
    assert machine.run(trigger="cron").returncode == 1
    assert machine.mails() == []
    assert "mail not sent" not in machine.runs()[0]


def test_seed_24_without_a_mailer_it_is_said_and_tried_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "m")
    machine.certbot(FAILURE)
    machine.install()
    machine.run(trigger="cron")
    assert machine.runs()[0].endswith("mail not sent: neither sendmail nor mail was found")
    assert "mail not sent" in machine.syslog()
    assert machine.mail_state()["mailed"] == ""
    machine.mailer()
    machine.run(trigger="cron")
    assert len(machine.mails()) == 1


def test_seed_24_a_mailer_that_fails_is_said_and_tried_again(machine: Machine) -> None:
    machine.install()
    machine.certbot(FAILURE)
    machine.fake("sendmail", "echo 'cannot reach relay' >&2; exit 75")
    machine.run(trigger="cron")
    assert machine.runs()[0].endswith("mail not sent: sendmail failed: cannot reach relay")
    machine.mailer()
    machine.run(trigger="cron")
    machine.certbot("exit 0")
    machine.fake("sendmail", "exit 75")
    machine.run(trigger="cron")
    machine.mailer()
    machine.run(trigger="cron")
    assert ["failed" in mail.split("\n")[1] for mail in machine.mails()] == [True, False]


@pytest.mark.parametrize("name", ["mail", "mailx"])
def test_mail_where_there_is_no_sendmail(machine: Machine, name: str) -> None:
    (machine.folder / "bin/sendmail").unlink()
    machine.fake(name, f"cat >{machine.folder}/mail.1")
    machine.install()
    machine.certbot(FAILURE)
    machine.run(trigger="cron")
    subject = "[certtui] web1.example.org: renewal failed: shop.example.org"
    assert machine.ran(name) == [f"-s {subject} admin@example.com"]
    assert machine.mails()[0].startswith("Host:         web1.example.org\n")
    machine.fake(name, "echo no relay >&2; exit 1")
    machine.age("mailed", 25 * HOUR)
    machine.run(trigger="cron")
    assert machine.runs()[1].endswith(f"mail not sent: {name} failed: no relay")


@pytest.mark.parametrize(
    "text", ["mailed=08\n", "mailed=$(touch /x)\n", "x", "mailed=9999999999999\n"]
)
def test_a_damaged_state_counts_as_none(machine: Machine, text: str) -> None:
    machine.install()
    machine.state.mkdir()
    (machine.state / "mail-state").write_text(text)
    machine.certbot(FAILURE)
    done = machine.run(trigger="cron")
    assert (done.returncode, done.stderr) == (1, "")
    assert len(machine.mails()) == 1


def test_a_mailer_that_leaves_a_process_behind_is_not_waited_for(machine: Machine) -> None:
    machine.install()
    machine.certbot(FAILURE)
    left = machine.folder / "left"
    machine.fake("sendmail", f"cat >/dev/null; (/bin/sleep 3; echo >{left}) & exit 0")
    machine.run()
    assert not left.exists()  # the run is over, what the mailer left goes on
    assert " sent " in (machine.state / "last-mail").read_text()
    assert not (machine.state / "mailer-output").exists()
    deadline = time.monotonic() + 20
    while not left.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left.exists()


def test_a_mailer_is_used_also_where_its_words_cannot_be_kept(machine: Machine) -> None:
    machine.install()
    machine.certbot(FAILURE)
    (machine.state / "mailer-output").mkdir(parents=True)
    machine.run()
    assert len(machine.mails()) == 1


def test_where_there_is_no_mailer_nothing_is_left(machine: Machine) -> None:
    for name in ("sendmail", "mail", "mailx"):
        (machine.folder / "bin" / name).unlink(missing_ok=True)
    machine.install()
    machine.certbot(FAILURE)
    machine.run()
    assert "neither sendmail nor mail" in (machine.state / "last-mail").read_text()
    assert not (machine.state / "mailer-output").exists()
