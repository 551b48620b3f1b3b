"""Mail: the MTA behind sendmail, what waits in its queue, and what its log says of the last one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Status
from certtui.doctor.registry import run_checks
from certtui.host.facts import Mailer
from certtui.host.interface import Completed
from tests.doctor.support import NOW, facts
from tests.facts.support import FakeHost
from tests.render.support import plan as some_plan

FAIL, WARN, OK, SKIP = Status.FAIL, Status.WARN, Status.OK, Status.SKIP

TO = "admin@localhost"
MAINLOG = "/var/log/exim4/mainlog"
MAIL_LOG = "/var/log/mail.log"
LAST = "/var/lib/certtui/last-mail"
LOG = "/var/lib/certtui/runs.log"

EXIM = Mailer("sendmail", "/usr/sbin/sendmail", "/usr/sbin/exim4")
PLAIN = Mailer("sendmail", "/usr/sbin/sendmail", "/usr/sbin/sendmail")

ALIVE = {"/proc/7/comm": b"exim4\n", "/proc/7/status": b"Name:\texim4\nNSpid:\t7\n"}


def exim(files: Mapping[str, bytes] = ALIVE, queue: str = "", **more: Any) -> FakeHost:
    """A host with exim, as Debian has it, whose log and queue are given."""
    host = FakeHost(files=dict(files))
    host.answers["exim", "-bt"] = f"{TO}\n  router = local_user, transport = mail_spool\n"
    host.answers["exim", "-bp"] = queue
    for name, value in more.items():
        setattr(host, name, value)
    return host


def postfix(*, running: bool = True) -> FakeHost:
    files = {"/proc/7/comm": b"master\n"} if running else {"/proc/7/comm": b"sh\n"}
    host = FakeHost(files={**files, "/usr/sbin/sendmail": b"\x7fELF"})
    host.program("/usr/sbin/postqueue")
    host.answers["postqueue", "-j"] = ""
    host.answers["postconf", "-hx", "mydestination"] = "web1.example.org, localhost\nexample.org\n"
    host.answers["getent", "passwd", "admin"] = "admin:x:1000:1000::/home/admin:/bin/sh\n"
    return host


def look(
    host: FakeHost, mailer: Mailer | None = EXIM, to: str = TO, **changes: Any
) -> list[Finding]:
    found = facts(mailer=mailer)
    if "is_root" in changes:
        system = replace(found.system, is_root=changes.pop("is_root"))
        found = replace(found, system=system)
    made = Context(host, found, some_plan(mail_to=to, **changes), now=NOW)
    return list(run_checks(made, ["mail"]))


def bad(host: FakeHost, mailer: Mailer | None = EXIM, **changes: Any) -> dict[str, Finding]:
    said = look(host, mailer, **changes)
    return {item.id: item for item in said if item.status not in (OK, SKIP)}


def argv(finding: Finding) -> tuple[str, ...]:
    assert finding.fix is not None
    return finding.fix.argv


# ---- which MTA, and its daemon ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("real", "name"),
    [
        ("/usr/sbin/exim4", "exim"),
        ("/usr/sbin/sendmail.exim", "exim"),
        ("/usr/sbin/sendmail.postfix", "postfix"),
        ("/usr/lib/sm.bin/sendmail", "sendmail"),
        ("/usr/sbin/sendmail.sendmail", "sendmail"),
        ("/usr/sbin/smtpctl", "opensmtpd"),
        ("/usr/bin/msmtp", "msmtp"),
        ("/usr/sbin/ssmtp", "ssmtp"),
        ("/usr/sbin/dma", "dma"),
        ("/bin/busybox", "busybox"),
        ("/opt/own/sendmail", ""),
    ],
)
def test_the_mta_is_named(real: str, name: str) -> None:
    (mailer, *_) = look(FakeHost(), Mailer("sendmail", "/usr/sbin/sendmail", real))
    assert (mailer.id, mailer.status) == ("mail.mailer", OK)
    assert f"({name}, {real})" in mailer.message if name else f"({real})" in mailer.message


@pytest.mark.parametrize(
    ("program", "name"), [("postqueue", "postfix"), ("nullmailer-send", "nullmailer")]
)
def test_a_plain_sendmail_is_of_the_mta_beside_it(program: str, name: str) -> None:
    host = FakeHost()
    host.program(f"/usr/sbin/{program}")
    assert f"({name}, " in look(host, PLAIN)[0].message
    # A script in its place is somebody's own.
    host.files["/usr/sbin/sendmail"] = b"#!/bin/sh\nexit 1\n"
    assert name not in look(host, PLAIN)[0].message


def test_what_only_queues_needs_its_daemon() -> None:
    found = bad(postfix(running=False), PLAIN)
    assert set(found) == {"mail.daemon"}
    assert found["mail.daemon"].status is FAIL
    assert "every mail waits in its queue" in found["mail.daemon"].message
    assert argv(found["mail.daemon"]) == ("service", "postfix", "start")
    assert bad(postfix(), PLAIN) == {}


def test_a_stopped_daemon_explains_what_waits() -> None:
    host = postfix(running=False)
    host.answers["postqueue", "-j"] = json.dumps(waiting(3 * 86400)) + "\n"
    assert set(bad(host, PLAIN)) == {"mail.daemon"}


def test_exim_without_its_daemon_delivers_at_once() -> None:
    found = bad(exim({"/proc/1/comm": b"systemd\n"}))
    assert set(found) == {"mail.daemon"}
    assert found["mail.daemon"].status is WARN


def unit(**changes: str) -> str:
    values = {"Id": "exim4.service", "LoadState": "loaded", "ActiveState": "inactive", **changes}
    return "\n".join(f"{name}={value}" for name, value in values.items()) + "\n"


@pytest.mark.parametrize(
    ("state", "command"),
    [
        ("enabled", ("systemctl", "enable", "--now", "exim4")),
        ("generated", ("systemctl", "start", "exim4")),
        ("masked", ("systemctl", "unmask", "exim4.service")),
    ],
)
def test_how_the_daemon_is_started(state: str, command: tuple[str, ...]) -> None:
    host = exim({"/proc/1/comm": b"systemd\n"})
    host.answers["systemctl", "show"] = unit(UnitFileState=state)
    assert argv(bad(host)["mail.daemon"]) == command


def test_a_daemon_that_does_not_start_at_boot() -> None:
    host = exim()
    running = {"ActiveState": "active", "SubState": "running"}
    host.answers["systemctl", "show"] = unit(**running, UnitFileState="disabled")
    assert "does not start at boot" in bad(host)["mail.daemon"].message
    host.answers["systemctl", "show"] = unit(**running, UnitFileState="enabled")
    assert bad(host) == {}


def test_the_daemon_of_a_container_on_this_host_is_not_ours() -> None:
    files = {"/proc/7/comm": b"exim4\n", "/proc/7/status": b"Name:\texim4\nNSpid:\t7\t1\n"}
    assert set(bad(exim(files))) == {"mail.daemon"}


def test_a_user_who_sees_no_foreign_process_says_nothing() -> None:
    host = exim({"/proc/1/comm": b"x\n"}, root_user=False)
    host.answers["systemctl", "show"] = unit(ActiveState="active", SubState="exited")
    assert "mail.daemon" not in bad(host, is_root=False)


def test_an_mta_without_a_daemon() -> None:
    host = FakeHost(files={"/proc/1/comm": b"x\n"})
    msmtp = Mailer("sendmail", "/usr/sbin/sendmail", "/usr/bin/msmtp")
    assert bad(host, msmtp) == {}
    assert "certtui drill proves it" in look(host, msmtp)[-1].message


# ---- handed over --------------------------------------------------------------------------------


def test_the_last_mail_was_not_taken() -> None:
    host = exim({**ALIVE, LAST: b"2026-03-01T09:00:00Z failed mail not sent: sendmail failed: 1\n"})
    found = bad(host)
    assert set(found) == {"mail.not-sent"}
    assert argv(found["mail.not-sent"]) == ("certtui", "drill")
    assert "sendmail failed: 1" in found["mail.not-sent"].evidence


def test_of_scripts_that_leave_no_note_the_log_of_runs_tells() -> None:
    line = (
        b"2026-03-02T09:00:00Z cron failed 3 renewal failed: b; mail not sent: sendmail failed: x\n"
    )
    assert set(bad(exim({**ALIVE, LOG: line}))) == {"mail.not-sent"}
    # A note is newer than that.
    last = b"2026-03-02T10:00:00Z sent [certtui] web1: renewal failed\n"
    assert bad(exim({**ALIVE, LOG: line, LAST: last})) == {}


def test_a_mail_that_was_taken_and_of_which_no_log_tells() -> None:
    last = b"2026-03-02T10:00:00Z sent [certtui] web1: renewal failed\n"
    said = look(exim({**ALIVE, LAST: last}))[-1]
    assert (said.id, said.status) == ("mail.delivery", SKIP)
    assert "handed over at 2026-03-02 10:00 UTC" in said.message


def test_a_damaged_note_is_not_taken_for_one() -> None:
    assert bad(exim({**ALIVE, LAST: b"\xff\x00"})) == {}
    assert "no mail has been sent yet" in look(exim({**ALIVE, LAST: b"\xff\x00"}))[-1].message


def test_without_a_mailer_that_is_all_there_is_to_say() -> None:
    host = FakeHost(files={LAST: b"2026-03-01T09:00:00Z failed mail not sent: none\n"})
    assert set(bad(host, None)) == {"mail.mailer"}


# ---- the way -------------------------------------------------------------------------------------


def refused(text: str, code: int, *argv: str) -> Completed:
    return Completed(argv, code, text, "R: local_user for x\n")


def test_exim_knows_no_way() -> None:
    host = exim()
    said = f"{TO} is undeliverable: Unrouteable address\n"
    host.answers["exim", "-bt"] = refused(said, 2, "exim")
    # What was sent back before has the same cause.
    host.files[MAINLOG] = f"2026-03-01 09:00:00 1xVxq1-0000Lx-1l ** {TO}: Unrouteable\n".encode()
    found = bad(host)
    assert set(found) == {"mail.no-way"}
    assert "(admin@localhost is undeliverable: Unrouteable address)" in found["mail.no-way"].message
    assert "R: " not in found["mail.no-way"].evidence


SETUP = "*** Error in setting up pipe, file, or autoreply:\n"
KEPT = f"admin@web1\n    <-- {TO}\n  router = local_user, transport = mail_spool\n"


@pytest.mark.parametrize(
    ("said", "id", "reason"),
    [
        (f"{TO} -> /dev/null\n{SETUP}file_transport unset in x router\n", "discarded", "/dev/null"),
        (f"{TO} -> /dev/null\n  transport = address_file\n", "discarded", "/dev/null"),  # .forward
        (f"mail to {TO} is discarded\n", "discarded", f"mail to {TO} is discarded"),
        (
            f"{TO} -> |/opt/gone\n{SETUP}pipe_transport unset in x router\n",
            "no-way",
            "|/opt/gone: pipe_transport unset in x router",
        ),
        (f"{TO} -> |/opt/gone\n  transport = address_pipe\n", "no-way", "/opt/gone is not there"),
        (f"{TO} -> |/bin/keep a\n  transport = address_pipe\n", "", ""),
        (f"{TO} -> /srv/mbox\n  transport = address_file\n", "", ""),
        (f"{TO} -> /dev/null\n{SETUP}file_transport unset in x router\n{KEPT}", "", ""),
        (f"a@b is undeliverable: no\n    <-- {TO}\n{KEPT}", "", ""),
        (f"a@b cannot be resolved at this time\n{TO} -> /dev/null\n", "", ""),
        ("something new\n", "", ""),
        ("", "", ""),
    ],
)
def test_where_exim_would_take_it(said: str, id: str, reason: str) -> None:
    host = exim()
    host.program("/bin/keep")
    host.answers["exim", "-bt"] = said
    found = bad(host)
    assert set(found) == ({f"mail.{id}"} if id else set())
    if id:
        message = found[f"mail.{id}"].message
        assert f"({reason})" in message
        assert "\n" not in message
        assert found[f"mail.{id}"].evidence.startswith(f"exim -bt {TO} (exit 0)\n")


@pytest.mark.parametrize(
    ("lines", "id"),
    [
        ("admin: /dev/null", "mail.discarded"),
        ('Admin: "|/opt/gone -x, y"', "mail.no-way"),
        ("admin: |/bin/keep", ""),
        ("admin: root\nroot:\n  /dev/null", "mail.discarded"),
        ("admin: admin, /dev/null", ""),
        ("#admin: /dev/null", ""),
        ("admin: b\nb: admin", ""),  # postfix tells of the loop itself
        ("admin:", ""),
    ],
)
def test_aliases_of_postfix(lines: str, id: str) -> None:
    host = postfix()
    host.program("/bin/keep")
    host.files["/etc/aliases"] = f"{lines}\n".encode()
    host.answers["postconf", "-hx", "alias_maps"] = "\n"
    assert set(bad(host, PLAIN)) == ({id} if id else set())


@pytest.mark.parametrize(
    ("said", "reason"), [("a new word\nb\n", "(a new word)"), ("", "ends with 2")]
)
def test_exims_status_counts_in_whatever_words(said: str, reason: str) -> None:
    host = exim()
    host.answers["exim", "-bt"] = refused(said, 2, "exim")
    assert reason in bad(host)["mail.no-way"].message


def test_what_exim_cannot_tell_now_is_no_failure() -> None:
    host = exim()
    host.answers["exim", "-bt"] = refused(f"{TO} cannot be resolved at this time\n", 1, "exim")
    assert bad(host) == {}


def test_sendmail_knows_no_such_user() -> None:
    sendmail = Mailer("sendmail", "/usr/sbin/sendmail", "/usr/lib/sm.bin/sendmail")
    host = FakeHost(files={"/proc/7/comm": b"sendmail-mta\n"})
    host.answers["sendmail", "-bv"] = refused("admin... User unknown\n", 67, "sendmail")
    assert set(bad(host, sendmail)) == {"mail.no-way"}


@pytest.mark.parametrize(
    ("to", "id"),
    [
        (TO, ""),
        ("gone@localhost", "mail.no-way"),
        ("gone@web1.example.org", "mail.no-way"),
        ("gone@example.com", ""),  # somebody else's business
        ("hostmaster@localhost", ""),  # an alias
        ("admin+certs@localhost", ""),
    ],
)
def test_users_of_postfix(to: str, id: str) -> None:
    host = postfix()
    host.files["/etc/aliases"] = b"# who reads it\nHostmaster: admin\n"
    host.answers["getent", "passwd", "gone"] = refused("", 2, "getent")
    host.answers["getent", "passwd", "hostmaster"] = refused("", 2, "getent")
    host.answers["postconf", "-hx", "alias_maps"] = "\n"
    assert set(bad(host, PLAIN, to=to)) == ({id} if id else set())


def test_a_host_that_cannot_look_users_up_says_nothing_of_them() -> None:
    host = postfix()
    del host.answers["getent", "passwd", "admin"]
    host.answers["postconf", "-hx", "alias_maps"] = "\n"
    assert bad(host, PLAIN) == {}


def test_a_table_of_aliases_that_was_never_made() -> None:
    host = postfix()
    host.files["/etc/aliases"] = b"root: admin\n"
    host.answers["postconf", "-hx", "alias_maps"] = "hash:/etc/aliases, nis:mail.aliases\n"
    found = bad(host, PLAIN)
    assert set(found) == {"mail.aliases"}
    assert argv(found["mail.aliases"]) == ("newaliases",)
    # A warning hides no failure.
    host.answers["postqueue", "-j"] = json.dumps(waiting(3 * 86400)) + "\n"
    assert set(bad(host, PLAIN)) == {"mail.aliases", "mail.queue"}
    host.answers["postqueue", "-j"] = ""
    host.files["/etc/aliases.db"] = b""
    assert bad(host, PLAIN) == {}


# ---- the queue -----------------------------------------------------------------------------------


def waiting(seconds: float, **changes: Any) -> dict[str, Any]:
    """A message as postqueue(1) shows it."""
    return {
        "queue_name": "deferred",
        "queue_id": "4F2A3",
        "arrival_time": (NOW - timedelta(seconds=seconds)).timestamp(),
        "message_size": 400,
        "sender": "root@web1.example.org",
        "recipients": [{"address": TO, "delay_reason": "connection refused"}],
        **changes,
    }


@pytest.mark.parametrize(
    ("message", "is_ours"),
    [
        (waiting(3700), True),
        (waiting(3500), False),  # greylisted
        (waiting(86400, sender="shop@example.org", recipients=[{"address": "a@b.org"}]), False),
        (waiting(86400, sender="shop@example.org"), True),
        (waiting(86400, recipients=[{"address": "a@b.org"}]), True),  # root's
        (waiting(86400, sender="", recipients=[{"address": "root@web1.example.org"}]), True),
        (waiting(60, queue_name="hold"), True),
    ],
)
def test_what_waits_too_long(message: dict[str, Any], is_ours: bool) -> None:
    host = postfix()
    host.answers["postqueue", "-j"] = f"{json.dumps(message)}\nnonsense\n[]\n"
    found = bad(host, PLAIN)
    assert set(found) == ({"mail.queue"} if is_ours else set())
    if is_ours:
        held = message["queue_name"] == "hold"
        words = ("postsuper", "-H") if held else ("postqueue", "-i")
        assert argv(found["mail.queue"]) == (*words, "4F2A3")
        assert ("is on hold" in found["mail.queue"].message) is held


EXIM_QUEUE = """\
26h  1.6K 1xVxq1-0000M1-1p <root@web1.example.test>
        D done@example.org
          admin@localhost

 0m   340 1xVxq7-0000N5-2K <> *** frozen ***
          root@web1.example.test

 3d   12K 1xVxq8-0000N5-2K <shop@example.org>
          a@example.com

"""


def test_the_queue_of_exim() -> None:
    found = bad(exim(queue=EXIM_QUEUE))["mail.queue"]
    assert "waits since 2026-03-01 10:00 UTC; 2 wait in all" in found.message
    assert found.evidence == "exim -bp: 1xVxq1-0000M1-1p <root@web1.example.test> admin@localhost"
    assert argv(found) == ("exim", "-M", "1xVxq1-0000M1-1p")
    frozen = bad(exim(queue=EXIM_QUEUE.partition("\n\n")[2]))["mail.queue"]
    assert frozen.message == "a mail of this host is frozen"


def test_a_queue_that_is_a_folder() -> None:
    sendmail = Mailer("sendmail", "/usr/sbin/sendmail", "/usr/lib/sm.bin/sendmail")
    host = FakeHost(files={"/proc/7/comm": b"sendmail\n"})
    since = int((NOW - timedelta(hours=5)).timestamp())
    text = f"V8\nT{since}\nK0\nSroot@web1\nRPFD:<{TO}>\n.\n"
    host.files["/var/spool/mqueue-client/qf2BO8H3"] = text.encode()
    host.files["/var/spool/mqueue-client/df2BO8H3"] = b"the body\n"
    found = bad(host, sendmail)["mail.queue"]
    assert "waits since 2026-03-02 07:00 UTC" in found.message
    assert "wait in all" not in found.message


def test_the_queue_of_opensmtpd() -> None:
    host = FakeHost(files={"/proc/7/comm": b"smtpd\n"})
    since = int((NOW - timedelta(hours=2)).timestamp())
    host.answers["smtpctl", "show", "queue"] = (
        f"1af2|inet4|mta|auth|root@web1|{TO}|{TO}|{since}|{since}|0|3|pending|10|refused\n"
    )
    smtpctl = Mailer("sendmail", "/usr/sbin/sendmail", "/usr/sbin/smtpctl")
    host.answers["getent", "passwd"] = "admin:x\n"
    assert "refused" in bad(host, smtpctl)["mail.queue"].evidence


def test_a_queue_that_cannot_be_looked_at() -> None:
    host = exim()
    host.answers["exim", "-bp"] = Completed(("exim",), 1, "", "exim: permission denied\n")
    said = look(host)[-1]
    assert (said.id, said.status) == ("mail.queue", SKIP)
    assert "permission denied" in said.message


# ---- the log -------------------------------------------------------------------------------------


def exim_log(*rows: str) -> bytes:
    lines = [f"2026-03-02 0{n}:00:00 1xVxq{n}-0000Lx-1l {row}" for n, row in enumerate(rows)]
    return "\n".join(
        ["2026-03-01 09:00:00 Start queue run: pid=3", *lines, "", "\xff junk"]
    ).encode()


SENT = "=> admin <admin@localhost> R=local_user T=mail_spool"
BOUNCED = f"** {TO} R=nonlocal: Mailing to remote domains not supported"
DEFERRED = f"== {TO} R=local_user T=mail_spool defer (-6): mailbox has wrong uid (0 != 1000)"
OTHER = "** shop@example.org R=nonlocal: admin@localhost is no matter here"


@pytest.mark.parametrize(
    ("rows", "id"),
    [
        ([SENT], ""),
        ([BOUNCED, SENT], ""),
        ([SENT, OTHER], ""),
        ([SENT, "** admin@elsewhere.example R=nonlocal: no"], ""),
        ([SENT, BOUNCED], "mail.delivery"),
        ([SENT, f"** gone@else.example <{TO}> R=nonlocal: no"], "mail.delivery"),
        ([SENT, "-> admin <ADMIN@Localhost> R=local_user"], ""),
    ],
)
def test_the_log_of_exim(rows: list[str], id: str) -> None:
    host = exim({**ALIVE, MAINLOG: exim_log(*rows)})
    found = bad(host)
    assert set(found) == ({id} if id else set())
    if id:
        assert argv(found[id]) == ("certtui", "drill")
        assert rows[-1] in found[id].evidence
    else:
        assert "last delivered at 2026-03-02 0" in look(host)[-1].message


def test_a_mail_that_waits_for_its_next_try() -> None:
    row = f" 5m   340 1xVxq1-0000Lx-1l <root@web1.example.test>\n          {TO}\n\n"
    found = bad(exim({**ALIVE, MAINLOG: exim_log(SENT, DEFERRED)}, row))
    assert set(found) == {"mail.deferred"}
    assert found["mail.deferred"].status is WARN
    assert argv(found["mail.deferred"]) == ("exim", "-M", "1xVxq1-0000Lx-1l")


def test_a_mail_that_was_taken_out_of_the_queue_waits_no_more() -> None:
    said = look(exim({**ALIVE, MAINLOG: exim_log(SENT, DEFERRED)}))[-1]
    assert (said.id, said.status) == ("mail.delivery", SKIP)
    assert "in the queue no more" in said.message


def test_an_hour_later_the_queue_says_it_with_the_reason() -> None:
    row = f" 2h   340 1xVxq1-0000Lx-1l <root@web1.example.test>\n          {TO}\n\n"
    found = bad(exim({**ALIVE, MAINLOG: exim_log(SENT, DEFERRED)}, row))
    assert set(found) == {"mail.queue"}
    assert "wrong uid" in found["mail.queue"].evidence


def test_the_log_that_was_rotated_away_counts() -> None:
    files = {f"{MAINLOG}.1": exim_log(SENT), MAINLOG: b""}
    assert "last delivered" in look(exim({**ALIVE, **files}))[-1].message


def test_a_huge_log_is_read_from_its_end() -> None:
    flood = b"2026-03-01 00:00:00 Start queue run: pid=3\n" * 100_000
    host = exim({**ALIVE, MAINLOG: exim_log(BOUNCED) + flood + exim_log(SENT)})
    assert bad(host) == {}


POSTFIX_LOG = f"""\
Mar  2 08:00:00 web1 postfix/local[9]: 4F2A3: to=<{TO}>, orig_to=<root>, relay=local, delay=0.1, \
dsn=2.0.0, status=sent (delivered to mailbox)
Mar  2 09:00:00 web1 postfix/smtp[9]: 4F2A4: to=<a@b.org>, relay=none, dsn=5.1.1, status=bounced
"""


def test_the_log_of_postfix() -> None:
    host = postfix()
    host.files[MAIL_LOG] = POSTFIX_LOG.encode()
    assert look(host, PLAIN)[-1].message == "last delivered at Mar  2 08:00:00"
    host.files[MAIL_LOG] += POSTFIX_LOG.replace("status=sent", "status=bounced").encode()
    assert set(bad(host, PLAIN)) == {"mail.delivery"}
    host.files[MAIL_LOG] = POSTFIX_LOG.replace("status=sent", "status=expired").encode()
    assert set(bad(host, PLAIN)) == {"mail.delivery"}


def test_where_there_is_no_log_the_journal_is_asked() -> None:
    host = postfix()
    stamp = "2026-03-02T08:00:00+0000"
    host.answers["journalctl",] = POSTFIX_LOG.replace("Mar  2 08:00:00", stamp)
    assert look(host, PLAIN)[-1].message == f"last delivered at {stamp}"
    (asked,) = [one for one in host.ran if one[0] == "journalctl"]
    assert "postfix/smtp" in asked


@pytest.mark.parametrize(
    ("real", "line", "status"),
    [
        (
            "/usr/lib/sm.bin/sendmail",
            f"sm-mta[3]: 2BO8: to=<{TO}>, delay=0, dsn=2.0.0, stat=Sent",
            OK,
        ),
        (
            "/usr/lib/sm.bin/sendmail",
            f"sm-mta[3]: 2BO8: to=<{TO}>, delay=0, dsn=5.1.1, stat=User unknown",
            FAIL,
        ),
        (
            "/usr/sbin/smtpctl",
            f"smtpd[3]: 6a mda delivery evpid=1 from=<> to=<{TO}> rcpt=<{TO}> result=Ok stat=Sent",
            OK,
        ),
        (
            "/usr/sbin/smtpctl",
            f"smtpd[3]: 6a mta delivery evpid=1 from=<> to=<{TO}> rcpt=<-> result=PermFail stat=no",
            FAIL,
        ),
    ],
)
def test_the_logs_of_others(real: str, line: str, status: Status) -> None:
    host = FakeHost(files={MAIL_LOG: f"Mar  2 08:00:00 web1 {line}\n".encode()})
    host.answers["getent", "passwd"] = "admin:x\n"
    said = look(host, Mailer("sendmail", "/usr/sbin/sendmail", real))
    assert (said[-1].id, said[-1].status) == ("mail.delivery", status)


def test_what_only_root_may_read() -> None:
    host = exim({**ALIVE, MAINLOG: b""}, root_user=False, closed={MAINLOG})
    said = look(host, is_root=False)[-1]
    assert said.status is SKIP
    assert "needs root" in said.message
