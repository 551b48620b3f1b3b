"""What an MTA's log says became of the mails to somebody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from certtui.host.interface import Host
from certtui.host.mta import Mta

#: Bytes of the end of a log that are read, and lines of the journal that are asked for.
_MOST = 1 << 18
_MOST_LINES = 2000

#: Seconds that the journal may take.
_TIMEOUT = 5.0

SENT, BOUNCED, DEFERRED = "sent", "bounced", "deferred"


@dataclass(frozen=True)
class Delivery:
    """One line of a log. ``addresses`` are the last one it was sent to, and those before it.

    ``when`` is as the log has it, mostly local time.
    """

    outcome: str  # sent | bounced | deferred
    addresses: tuple[str, ...]
    when: str
    line: str


@dataclass(frozen=True)
class Log:
    """Where it was found, and what it says, oldest first. ``source`` is empty without a log."""

    source: str = ""
    deliveries: tuple[Delivery, ...] = ()


Parse = Callable[[str], "Delivery | None"]

#: Where each distribution has them; exim writes its own.
EXIM_FILES = ("/var/log/exim4/mainlog", "/var/log/exim/main.log", "/var/log/exim/mainlog")
FILES = ("/var/log/mail.log", "/var/log/maillog", "/var/log/mail")

#: What MTAs call themselves in the journal (journalctl(1), -t); one of postfix's daemons each.
_TAGS = {
    "postfix": ("local", "smtp", "lmtp", "virtual", "pipe", "error", "discard"),
    "sendmail": ("sm-mta", "sendmail", "sm-msp-queue"),
    "opensmtpd": ("smtpd",),
}


def read(host: Host, mta: Mta) -> Log:
    """The end of the log, also of the one before it. Raises PermissionError."""
    if mta.name == "exim":
        return _of_files(host, EXIM_FILES, _exim)
    if mta.name not in _TAGS:
        return Log()
    parse = {"postfix": _postfix, "sendmail": _sendmail, "opensmtpd": _opensmtpd}[mta.name]
    found = _of_files(host, FILES, parse)
    if found.deliveries:
        return found
    tags = [f"postfix/{tag}" if mta.name == "postfix" else tag for tag in _TAGS[mta.name]]
    named = [word for tag in tags for word in ("-t", tag)]
    argv = ["journalctl", "-q", "--no-pager", "-o", "short-iso", "-n", str(_MOST_LINES), *named]
    said = host.run(argv, timeout=_TIMEOUT)
    if not said.ok:
        return found
    return Log("the journal", tuple(_each(said.out, parse)))


def _of_files(host: Host, paths: tuple[str, ...], parse: Parse) -> Log:
    """The first that is there; the one that was rotated away comes before it."""
    for path in paths:
        if host.info(path) is None:
            continue
        texts = [(host.tail(name, _MOST) or b"") for name in (f"{path}.1", path)]
        lines = b"\n".join(texts).decode("utf-8", "replace")
        return Log(path, tuple(_each(lines, parse)))
    return Log()


def _each(text: str, parse: Parse) -> Iterator[Delivery]:
    for line in text.splitlines():
        found = parse(line)
        if found is not None:
            yield found


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\s<>():,;\"]+@[^\s<>():,;\"]+", text))


# ---- exim: its specification, chapter 53, "Logging deliveries" and what follows ----------------

_EXIM_LINE = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\S*(?: [+-]\d{4})?(?: \[\d+\])?"
    r" [0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4} (=>|->|\*\*|==) (.*)"
)
_EXIM_FLAGS = {"=>": SENT, "->": SENT, "**": BOUNCED, "==": DEFERRED}


def _exim(line: str) -> Delivery | None:
    found = _EXIM_LINE.match(line)
    if found is None:
        return None
    # What stands behind a router's name or a colon is what a server said.
    named = re.split(r" R=|: ", found[3], maxsplit=1)[0]
    return Delivery(_EXIM_FLAGS[found[2]], _addresses(named), found[1], line)


# ---- syslog's: "Nov 24 08:17:03 host program[pid]: ...", or an ISO time in front -----------------

_SYSLOG = re.compile(
    r"(\w{3} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) \S+ (\S+?)(?:\[\d+\])?: (.*)"
)


def _postfix(line: str) -> Delivery | None:
    """postfix: global/deliver_request.h and global/log_adhoc.c, "to=<>, ..., status=sent"."""
    found = _SYSLOG.match(line)
    if found is None or not found[2].startswith("postfix"):
        return None
    status = re.search(r"\bto=<.*\bstatus=(\w+)", found[3])
    words = {"sent": SENT, "bounced": BOUNCED, "expired": BOUNCED, "deferred": DEFERRED}
    if status is None or status[1] not in words:
        return None
    addresses = re.findall(r"\b(?:orig_)?to=<([^>]*)>", found[3])
    return Delivery(words[status[1]], tuple(addresses), found[1], line)


def _sendmail(line: str) -> Delivery | None:
    """sendmail's operations guide, 2.1.2: "to=<>, ..., dsn=2.0.0, stat=Sent"."""
    found = _SYSLOG.match(line)
    if found is None:
        return None
    row = re.search(r"\bto=([^ ]+),.*\bdsn=([245])\.", found[3])
    # What the client hands to the daemon on this host is not on its way yet.
    if row is None or "relay=[127.0.0.1]" in found[3]:
        return None
    outcome = {"2": SENT, "4": DEFERRED, "5": BOUNCED}[row[2]]
    addresses = re.sub(r"[<>]", "", row[1]).split(",")
    return Delivery(outcome, tuple(addresses), found[1], line)


def _opensmtpd(line: str) -> Delivery | None:
    """smtpd/log.c: "... mda delivery ... to=<> rcpt=<> ... result=Ok"."""
    found = _SYSLOG.match(line)
    if found is None or not found[2].startswith("smtpd"):
        return None
    row = re.search(r"\bdelivery\b.*\bresult=\"?(Ok|TempFail|PermFail)", found[3])
    if row is None:
        return None
    outcome = {"Ok": SENT, "TempFail": DEFERRED, "PermFail": BOUNCED}[row[1]]
    addresses = re.findall(r"\b(?:to|rcpt)=<([^>]*)>", found[3])
    return Delivery(outcome, tuple(addresses), found[1], line)
