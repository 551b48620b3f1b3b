"""A mail's way through the MTA of this host, by the MTA's own log and the mail's Message-ID.

Formats: exim's specification, chapter 53; Postfix's cleanup(8) and deliver_request.h ("status=");
sendmail's operations guide, 2.1.2 ("stat="). All of them log to the facility mail (syslog(3)), or
to a file of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from certtui.host.interface import Host
from certtui.host.maillog import EXIM_FILES, FILES

#: Bytes of the end of a log that are read.
_MOST = 1 << 18

#: exim's "=> ADDRESS ..."; the "to=<ADDRESS>, ..." of Postfix and sendmail.
_RECIPIENT = re.compile(r"(?:=>|->|\*\*|==) ([^\s:]+)|to=<?([^>,\s]+)")

SENT, BOUNCED, DEFERRED = "sent", "bounced", "deferred"


@dataclass(frozen=True)
class Fate:
    """What became of it for one recipient. ``words`` are the log's."""

    outcome: str
    words: str

    @property
    def recipient(self) -> str:
        """The address that the log names first."""
        match = _RECIPIENT.match(self.words)
        return (match[1] or match[2]).lower() if match else ""


@dataclass(frozen=True)
class Trail:
    """Where it was taken and what followed; ``queue_id`` is the last one that it had here."""

    mta: str
    queue_id: str
    fates: tuple[Fate, ...] = field(default=())

    def of(self, outcome: str) -> str:
        """The words of the last fate of a kind, or ""."""
        return next((fate.words for fate in reversed(self.fates) if fate.outcome == outcome), "")

    @property
    def lost(self) -> Fate | None:
        """What became of a recipient who did not get it: bounced, or else deferred to the last.

        An alias may name many: that one has it says nothing of the others.
        """
        last = {fate.recipient: fate for fate in self.fates}.values()
        bounced = [fate for fate in self.fates if fate.outcome == BOUNCED]
        return next(iter([*bounced, *(fate for fate in last if fate.outcome == DEFERRED)]), None)


def look(host: Host, message: str, since: float) -> Trail | None:
    """The way of the mail whose Message-ID begins so; None where no log tells of it yet."""
    for lines in _logs(host, since):
        found = follow(lines, message)
        if found is not None:
            return found
    return None


def _logs(host: Host, since: float) -> Iterator[Sequence[str]]:
    for path in (*EXIM_FILES, *FILES):
        text = host.tail(path, _MOST)
        if text:
            yield text.decode("utf-8", "replace").splitlines()
    # syslog(3): 2 is LOG_MAIL.
    argv = ["journalctl", "-q", "--no-pager", "-o", "short", "-n", "5000"]
    said = host.run([*argv, f"--since=@{int(since)}", "SYSLOG_FACILITY=2"], timeout=10)
    if said.ok:
        yield said.out.splitlines()


_EXIM_ID = r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}"
_EXIM_FLAGS = {"=>": SENT, "->": SENT, "**": BOUNCED, "==": DEFERRED}
_EXIM_FATE = re.compile(r"(=>|->|\*\*|==) (.*)")

_POSTFIX_STATUS = {"sent": SENT, "bounced": BOUNCED, "expired": BOUNCED, "deferred": DEFERRED}
_POSTFIX_FATE = re.compile(r"(to=<.*\bstatus=(\w+).*)")
_SENDMAIL_FATE = re.compile(r"(to=.*\bstat=(Sent|Deferred|queued)?.*)")
#: What a filter or the daemon on this host takes comes back with another id.
_HOP = re.compile(r"\brelay=\S*\[?127\.0\.0\.1\]?")


def follow(lines: Sequence[str], message: str) -> Trail | None:
    """The same in the lines of one log."""
    found: Trail | None = None
    for line in lines:
        if message in line:
            taken = _taken(line)
            if taken is not None:
                found = Trail(*taken)
    if found is None:
        return None
    mark = re.compile(rf"\b{re.escape(found.queue_id)}\b:? (.*)")
    fates = (_fate(found.mta, match[1]) for line in lines if (match := mark.search(line)))
    return Trail(found.mta, found.queue_id, tuple(fate for fate in fates if fate is not None))


def _taken(line: str) -> tuple[str, str] | None:
    """Which MTA, and its queue id."""
    if match := re.search(rf"\s({_EXIM_ID}) <= ", line):
        return "exim", match[1]
    if match := re.search(r"postfix\S*/cleanup\[\d+\]: (\w+): (?:resent-)?message-id=", line):
        return "postfix", match[1]
    if match := re.search(r"\S+\[\d+\]: (\w+): from=.*msgid=", line):
        return "sendmail", match[1]
    return None


def _fate(mta: str, words: str) -> Fate | None:
    if mta == "exim":
        match = _EXIM_FATE.match(words)
        return Fate(_EXIM_FLAGS[match[1]], words) if match else None
    if mta == "postfix":
        match = _POSTFIX_FATE.match(words)
        if match is None or match[2] not in _POSTFIX_STATUS or _HOP.search(words):
            return None
        return Fate(_POSTFIX_STATUS[match[2]], words)
    match = _SENDMAIL_FATE.match(words)
    if match is None or _HOP.search(words):
        return None
    return Fate({"Sent": SENT, "Deferred": DEFERRED}.get(match[2], BOUNCED), words)
