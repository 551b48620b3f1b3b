"""The test mail of the wizard, through the host's own mail server into a mailbox."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.host import server
from tests.host.conftest import Login
from tests.host.machine import Machine
from tests.host.person import ADDRESS, CTRL_Q, CTRL_U, ENTER, F4, Keep, Person
from tests.host.web import NGINX, Web

#: Debian's exim takes no such address, from nobody, and says why.
REFUSED, REASON = "nobody%here@localhost", "restricted characters in address"
#: A mailer that hands each mail to a server while one waits, and tells what that answers; exim
#: sends what it has to say by mail.
_MSMTP = """\
account default
host 127.0.0.1
from root@localhost
"""


@pytest.fixture(scope="module")
def host(fresh_host: Callable[[Web], Machine]) -> Machine:
    """A host that certtui has never been on."""
    return fresh_host(NGINX)


@pytest.fixture
def person(host: Machine, login: Login, transcript: Keep) -> Person:
    """Somebody on the page of the address, which is empty."""
    person = Person(login(host, "certtui"), transcript)
    for step in ("Welcome", "Web server", "Scheduler", "Runs a day"):
        person.accepts(step)
    person.on("Mail", "F4")
    return person


def test_a_test_mail_reaches_the_mailbox(host: Machine, person: Person, transcript: Keep) -> None:
    person.types(ADDRESS)
    person.presses(F4)
    person.sees("Taken by exim4", "may still fail")
    assert "proved" not in person.terminal.text.replace("not proved", "")
    host.wait_until(lambda: host.mails(server.ADMIN), 20, "the mail")
    (mail,) = host.mails(server.ADMIN)
    transcript(host.run(["cat", f"/var/mail/{server.ADMIN}"]), f"cat /var/mail/{server.ADMIN}")
    assert mail["To"] == ADDRESS
    assert mail["Subject"] == "[certtui] web1.example.test: test mail"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "test mail of certtui" in str(mail.get_payload())
    # The answer is in the way of nothing.
    person.presses(ENTER)
    person.on("Review", "nothing is written yet")
    person.presses("q")
    assert person.terminal.end() == 0


def test_what_the_mail_server_refuses_is_shown_in_its_words(host: Machine, person: Person) -> None:
    host.write("/etc/msmtprc", _MSMTP)
    host.run(["ln", "-sf", "/usr/bin/msmtp", "/usr/sbin/sendmail"])
    had = host.mails(server.ADMIN)
    if ADDRESS in person.terminal.text:  # of the draft
        person.presses(CTRL_U)
        host.wait_until(lambda: not person.shows(ADDRESS), 10, "the line to be empty")
    person.types(REFUSED)
    person.presses(F4)
    person.sees("NOT SENT", "msmtp", REASON)
    assert "Taken" not in person.terminal.text
    person.presses(CTRL_Q)
    assert person.terminal.end() == 0
    assert len(host.mails(server.ADMIN)) == len(had)
