"""What the logs of MTAs tell of one mail: lines as they were seen, and as manuals have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from certtui.drill import trail
from certtui.drill.trail import BOUNCED, DEFERRED, SENT, Trail
from certtui.host.interface import Completed
from tests.drill.support import ID, PlayedHost

MESSAGE = f"certtui-drill-{ID}@"
MSGID = f"{MESSAGE}web1.example.test"

#: Debian's exim 4.96 and 4.98; the first two lines of another mail.
EXIM = f"""\
2026-11-24 21:11:30 1xVxaa-00006r-2k <= root@web1 U=root P=local S=800 id=other@web1
2026-11-24 21:11:30 1xVxaa-00006r-2k ** ghost@web1: Unrouteable address
2026-11-24 21:11:31 1xVxnX-00006r-2k <= root@web1 U=root P=local S=800 id={MSGID}
2026-11-24 21:11:31 1xVxnX-00006r-2k %s
2026-11-24 21:11:31 1xVxnX-00006r-2k Completed
2026-11-24 21:11:32 1xVxnY-00006s-0A <= <> R=1xVxnX-00006r-2k U=Debian-exim P=local S=2000
2026-11-24 21:11:32 1xVxnY-00006s-0A => admin <root@web1> R=local_user T=mail_spool
"""


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("=> admin <root@web1> R=local_user T=mail_spool", SENT),
        ('=> a@b.example R=dnslookup T=remote_smtp H=mx [192.0.2.1] C="250 OK"', SENT),
        ("-> admin <root@web1> R=local_user T=mail_spool", SENT),
        ("** ghost@web1 R=nonlocal: Mailing to remote domains not supported", BOUNCED),
        ("== admin@web1 R=local_user T=mail_spool defer (-6): wrong uid", DEFERRED),
    ],
)
def test_exim(words: str, outcome: str) -> None:
    found = trail.follow((EXIM % words).splitlines(), MESSAGE)
    assert found is not None
    assert (found.mta, found.queue_id) == ("exim", "1xVxnX-00006r-2k")
    assert [fate.outcome for fate in found.fates] == [outcome]
    assert found.of(outcome) == words


def test_exim_of_trixie_with_zone_and_process() -> None:
    line = f"2026-11-24 21:11:31 +0000 [77] 1tFabc-00000001abc-2kAB <= root@w P=local id={MSGID}"
    then = "2026-11-24 21:11:31 +0000 [78] 1tFabc-00000001abc-2kAB => a@b R=x T=y"
    found = trail.follow([line, then], MESSAGE)
    assert found is not None
    assert found.queue_id == "1tFabc-00000001abc-2kAB"
    assert found.of(SENT) == "=> a@b R=x T=y"


_HEAD = "Nov 24 21:11:31 web1 postfix"
_TO = "to=<admin@web1>, orig_to=<admin@localhost>, relay=local, delay=0.1, dsn=2.0.0,"


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("status=sent (delivered to mailbox)", SENT),
        ("status=bounced (unknown user)", BOUNCED),
        ("status=expired (too old)", BOUNCED),
        ("status=deferred (mailbox full)", DEFERRED),
    ],
)
def test_postfix(words: str, outcome: str) -> None:
    lines = [
        f"{_HEAD}/pickup[10]: 4XyZ12: uid=0 from=<root>",
        f"{_HEAD}/cleanup[11]: 4XyZ12: message-id=<{MSGID}>",
        f"{_HEAD}/qmgr[12]: 4XyZ12: from=<root@web1>, size=800, nrcpt=1 (queue active)",
        f"{_HEAD}/local[13]: 4XyZ12: {_TO} {words}",
        f"{_HEAD}/local[13]: 4XyZ99: {_TO} status=bounced (another mail)",
        f"{_HEAD}/qmgr[12]: 4XyZ12: removed",
    ]
    found = trail.follow(lines, MESSAGE)
    assert found is not None
    assert (found.mta, found.queue_id) == ("postfix", "4XyZ12")
    assert [fate.outcome for fate in found.fates] == [outcome]


def test_postfix_through_a_filter_goes_on_with_its_second_id() -> None:
    lines = [
        f"{_HEAD}/cleanup[11]: AAAA: message-id=<{MSGID}>",
        f"{_HEAD}/smtp[13]: AAAA: to=<a@b>, relay=127.0.0.1[127.0.0.1]:10024, status=sent (ok)",
        f"{_HEAD}/cleanup[11]: BBBB: message-id=<{MSGID}>",
    ]
    assert trail.follow(lines[:2], MESSAGE) == Trail("postfix", "AAAA")
    assert trail.follow(lines, MESSAGE) == Trail("postfix", "BBBB")
    lines.append(f"{_HEAD}/smtp[13]: BBBB: to=<a@b>, relay=mx[192.0.2.1]:25, status=sent (250)")
    found = trail.follow(lines, MESSAGE)
    assert found is not None
    assert found.of(SENT).endswith("status=sent (250)")


def test_sendmail_hands_over_to_its_daemon() -> None:
    head = "Nov 24 21:11:31 web1"
    lines = [
        f"{head} sendmail[10]: 4ALB001: from=root, size=800, nrcpts=1, msgid=<{MSGID}>",
        f"{head} sm-mta[11]: 4ALB002: from=<root@web1>, size=900, msgid=<{MSGID}>, proto=ESMTP",
        f"{head} sendmail[10]: 4ALB001: to=a@b, relay=[127.0.0.1] [127.0.0.1], stat=Sent (ok)",
    ]
    assert trail.follow(lines, MESSAGE) == Trail("sendmail", "4ALB002")
    for words, outcome in (
        ("stat=Sent (250 ok)", SENT),
        ("stat=Deferred: refused", DEFERRED),
        ("stat=User unknown", BOUNCED),
    ):
        then = f"{head} sm-mta[12]: 4ALB002: to=<a@b>, relay=mx. [192.0.2.1], dsn=2, {words}"
        found = trail.follow([*lines, then], MESSAGE)
        assert found is not None
        assert [fate.outcome for fate in found.fates] == [outcome]


def test_what_only_quotes_the_id_is_no_trail() -> None:
    assert trail.follow([f"Nov 24 web1 sudo[1]: root: grep {MSGID} /var/log/mail.log"], "x") is None
    assert trail.follow([f"Nov 24 web1 sudo[1]: root: grep {MSGID} mail.log"], MESSAGE) is None


def test_files_first_then_the_journal(tmp_path: Path) -> None:
    host = PlayedHost(str(tmp_path))
    line = f"{_HEAD}/cleanup[11]: 4XyZ12: message-id=<{MSGID}>"
    host.answers.append(lambda argv, stdin: line if argv[0] == "journalctl" else None)
    assert trail.look(host, MESSAGE, 1764018840.7) == Trail("postfix", "4XyZ12")
    assert host.ran[0][-2:] == ("--since=@1764018840", "SYSLOG_FACILITY=2")
    log = tmp_path / "var/log/exim4/mainlog"
    log.parent.mkdir(parents=True)
    log.write_text("x" * 300_000 + "\n" + EXIM % "Completed")
    found = trail.look(host, MESSAGE, 0)
    assert found is not None
    assert found.mta == "exim"


def test_no_journal_no_log_no_trail(tmp_path: Path) -> None:
    host = PlayedHost(str(tmp_path))
    host.answers.append(lambda argv, stdin: Completed(argv, 127, "", "not found"))
    assert trail.look(host, MESSAGE, 0) is None


@pytest.mark.parametrize(
    ("words", "recipient"),
    [
        ("** nosuchuser <ops@w>: Unrouteable address", "nosuchuser"),
        ("** NoSuchUser@w: Unrouteable address", "nosuchuser@w"),
        ("to=<bob@w>, orig_to=<ops>, relay=none, dsn=5.1.1, status=bounced (x)", "bob@w"),
        ("to=bob, ctladdr=root (0/0), stat=User unknown", "bob"),
        ("to=<bob@w>,<eve@w>, stat=User unknown", "bob@w"),
        ("Frozen", ""),
    ],
)
def test_the_recipient_that_a_log_names(words: str, recipient: str) -> None:
    assert trail.Fate(trail.BOUNCED, words).recipient == recipient
