"""A test mail goes the way of the renew script's own, and its answer is told as it is."""

from __future__ import annotations

import os
import threading
import time
from email import message_from_string, policy
from pathlib import Path

import pytest

from certtui.ask import testmail
from certtui.host.interface import RealHost
from tests.render.support import Machine, alive, until

TO, FROM = "admin@example.com", "certs@example.com"


class Mailing(RealHost):
    """This machine with the mailers of a folder alone."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def which(self, program: str) -> str | None:
        path = self.folder / program
        return str(path) if path.exists() else None


def send(
    machine: Machine, sender: str = "", *, timeout: float = 20, left: threading.Event | None = None
) -> testmail.Answer:
    return testmail.send(
        TO,
        sender,
        {"HTTPS_PROXY": "http://proxy.example.com:3128"},
        hostname="web1.example.org",
        host=Mailing(machine.folder / "bin"),
        left=left,
        timeout=timeout,
    )


def told(answer: testmail.Answer) -> str:
    return "\n".join(testmail.sentences(answer, TO, "apt-get install -y msmtp-mta"))


@pytest.mark.parametrize("sender", ["", FROM])
def test_it_is_sent_as_the_script_sends(machine: Machine, sender: str) -> None:
    machine.install(mail_from=sender)
    machine.certbot("exit 1")
    machine.run(trigger="cron")
    assert send(machine, sender).taken
    theirs, ours = (message_from_string(text, policy=policy.default) for text in machine.mails())
    assert ours.keys() == theirs.keys()
    differs = {"Subject", "Date"}
    for name in set(ours.keys()) - differs:
        assert ours[name] == theirs[name]
    assert ours["Date"].datetime is not None
    assert ours["Subject"] == "[certtui] web1.example.org: test mail"
    assert "nothing failed; this is the test mail of certtui" in ours.get_content()
    called = machine.ran("sendmail")
    assert called[0] == called[1]


def test_the_mailer_gets_the_surroundings_that_the_script_gives(machine: Machine) -> None:
    machine.fake("sendmail", f"cat >/dev/null; /usr/bin/env >>{machine.folder}/given; umask; pwd")
    machine.install(certbot_env={"HTTPS_PROXY": "http://proxy.example.com:3128"})
    machine.certbot("exit 1")
    machine.run(trigger="cron")
    path = machine.folder / "given"
    theirs = dict(line.split("=", 1) for line in path.read_text().splitlines())
    path.unlink()
    answer = send(machine)
    ours = dict(line.split("=", 1) for line in path.read_text().splitlines())
    shared = ["HTTPS_PROXY", "LC_ALL"] + ["HOME", "LOGNAME", "USER"] * (os.geteuid() == 0)
    assert [ours[name] for name in shared] == [theirs[name] for name in shared]
    # The shell adds its own; nothing of ours but what is named reaches the mailer.
    assert set(ours) - {"PWD", "OLDPWD", "SHLVL", "_"} == {
        *shared,
        "HOME",
        "LOGNAME",
        "USER",
        "PATH",
    }
    assert answer.words.split() == ["0022", "/"]


def test_mail_is_called_where_there_is_no_sendmail(machine: Machine) -> None:
    (machine.folder / "bin/sendmail").unlink()
    machine.fake("mail", f"cat >{machine.folder}/mail.1")
    machine.install()
    machine.certbot("exit 1")
    machine.run(trigger="cron")
    answer = send(machine)
    assert answer.taken and answer.program == "mail"
    theirs, ours = machine.ran("mail")
    assert theirs.startswith("-s [certtui] web1.example.org: ") and theirs.endswith(f" {TO}")
    assert ours == f"-s [certtui] web1.example.org: test mail {TO}"


def test_taken_is_never_called_proved(machine: Machine) -> None:
    text = told(send(machine))
    assert text.startswith("Taken by sendmail (exit status 0), which may still fail to deliver it:")
    assert f"look into the mailbox of {TO}" in text
    assert "proved" not in text.lower()


def test_another_user_may_be_another_mailer() -> None:
    words = "This was sent as alice; the renew script sends as root."
    assert words in told(testmail.Answer("msmtp", 0, user="alice"))
    assert words in told(testmail.Answer("msmtp", 78, user="alice"))
    assert "sends as root" not in told(testmail.Answer("msmtp", 0))


def test_a_refusal_is_told_in_the_mailers_words(machine: Machine) -> None:
    machine.fake(
        "sendmail", "cat >/dev/null; echo 'nobody@here... User \033[31munknown' >&2; exit 67"
    )
    answer = send(machine)
    assert not answer.taken
    assert told(answer).splitlines() == [
        "NOT SENT: sendmail ended with 67: it knows no such user.",
        "sendmail said: nobody@here... User \\x1b[31munknown",
    ]


def test_many_words_are_few_lines(machine: Machine) -> None:
    machine.fake("sendmail", "cat >/dev/null; seq 1 100; exit 1")
    lines = told(send(machine)).splitlines()
    assert lines[0] == "NOT SENT: sendmail ended with 1."
    assert lines[1] == "sendmail said: 1"
    assert lines[-1] == "(94 more lines)"
    assert len(lines) == 8


def test_a_mailer_that_hangs_is_ended_with_all_it_started(machine: Machine) -> None:
    machine.fake(
        "sendmail", f"/bin/sleep 60 & echo $! >{machine.folder}/child; echo connecting; wait"
    )
    start = time.monotonic()
    answer = send(machine, timeout=0.5)
    assert time.monotonic() - start < 10
    assert answer.timed_out
    assert told(answer).splitlines() == [
        "NOT SENT: sendmail gave no answer and was ended; the renew script would, too.",
        "sendmail said: connecting",
    ]
    child = int((machine.folder / "child").read_text())
    until(lambda: not alive(child))


def test_nobody_waits_long_for_a_mailer_when_the_page_is_left(machine: Machine) -> None:
    machine.fake("sendmail", "exec /bin/sleep 60")
    left = threading.Event()
    left.set()
    start = time.monotonic()
    assert send(machine, left=left, timeout=60).timed_out
    assert time.monotonic() - start < 15


def test_a_mailer_that_answers_is_not_cut_short_when_the_page_is_left(machine: Machine) -> None:
    machine.fake("sendmail", "/bin/sleep 0.5; cat >/dev/null")
    left = threading.Event()
    left.set()
    assert send(machine, left=left).taken


def test_a_daemon_that_is_left_behind_is_not_waited_for(machine: Machine) -> None:
    machine.fake(
        "sendmail", f"cat >/dev/null; /bin/sleep 30 & echo $! >{machine.folder}/child; exit 0"
    )
    start = time.monotonic()
    assert send(machine).taken
    assert time.monotonic() - start < 10
    child = int((machine.folder / "child").read_text())
    assert alive(child)
    os.kill(child, 15)


def test_a_mailer_that_ends_by_a_signal(machine: Machine) -> None:
    machine.fake("sendmail", "kill -9 $$")
    assert told(send(machine)) == "NOT SENT: sendmail was ended by signal 9."


def test_a_mailer_that_cannot_be_started(machine: Machine) -> None:
    path = machine.folder / "bin/sendmail"
    path.unlink()
    path.write_text("#!/no/such/shell\n")
    path.chmod(0o755)
    assert told(send(machine)).startswith("NOT SENT: sendmail ended with 126")


def test_no_mailer_at_all(machine: Machine) -> None:
    (machine.folder / "bin/sendmail").unlink()
    answer = send(machine)
    assert not answer.taken
    assert told(answer) == ("NOT SENT: nothing here can send mail: apt-get install -y msmtp-mta")
