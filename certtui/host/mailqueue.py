"""What waits in an MTA's queue."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from certtui.host.interface import Host
from certtui.host.mta import Mta

#: Seconds an MTA may take to list its queue.
_TIMEOUT = 8.0


@dataclass(frozen=True)
class Waiting:
    """One message. ``since`` is UTC; the recipients are those still to come, if they are known."""

    id: str
    since: datetime
    sender: str = ""
    recipients: tuple[str, ...] = ()
    frozen: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Queue:
    """``command`` is what showed it; ``problem`` says why it could not be looked at."""

    command: str
    messages: tuple[Waiting, ...] = ()
    problem: str = ""


def queue(host: Host, mta: Mta, now: datetime) -> Queue | None:
    """The queue, or None of an MTA that has none or that cannot be asked for it."""
    if mta.name in _LISTED:
        argv, parse = _LISTED[mta.name]
        said = host.run(argv, timeout=_TIMEOUT)
        command = " ".join(argv)
        if not said.ok:
            last = (said.text.splitlines() or [f"exit {said.code}"])[-1]
            return Queue(command, problem=f"{command}: {last[:200]}")
        return Queue(command, tuple(parse(said.out, now)))
    if mta.name in _FOLDERS:
        folders = _FOLDERS[mta.name]
        return Queue(" ".join(folders), tuple(_in_folders(host, folders)))
    return None


# ---- exim: its specification, chapter 5, -bp ---------------------------------------------------

_EXIM = re.compile(r"\s*(\d+)([mhd])\s+\S+\s+(\S+)\s+<([^>]*)>(.*)")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def _exim(text: str, now: datetime) -> Iterator[Waiting]:
    """A head for each message, its recipients below it, those who have it already marked D."""
    head: re.Match[str] | None = None
    recipients: list[str] = []
    for line in [*text.splitlines(), ""]:
        found = _EXIM.fullmatch(line)
        if found is None and line.strip():
            recipients += [line.strip()] if not line.strip().startswith("D ") else []
            continue
        if head is not None:
            since = now - int(head[1]) * _UNITS[head[2]]
            frozen = "*** frozen ***" in head[5]
            yield Waiting(head[3], since, head[4], tuple(recipients), frozen)
        head, recipients = found, []


# ---- postfix: postqueue(1), JSON OBJECT FORMAT --------------------------------------------------


def _postfix(text: str, now: datetime) -> Iterator[Waiting]:
    for line in text.splitlines():
        try:
            found = json.loads(line)
            rows = found["recipients"]
            yield Waiting(
                str(found["queue_id"]),
                datetime.fromtimestamp(float(found["arrival_time"]), timezone.utc),
                str(found["sender"]),
                tuple(str(row["address"]) for row in rows),
                found.get("queue_name") == "hold",
                next((str(row["delay_reason"]) for row in rows if "delay_reason" in row), ""),
            )
        except (ValueError, KeyError, TypeError, OverflowError):
            continue  # not a message


# ---- opensmtpd: smtpctl(8), show queue ----------------------------------------------------------


def _opensmtpd(text: str, now: datetime) -> Iterator[Waiting]:
    """A line a recipient, of fields apart by "|"; the eighth is when it came, the last why not."""
    for line in text.splitlines():
        words = line.split("|")
        if len(words) < 12 or not words[7].isdigit():
            continue
        since = datetime.fromtimestamp(int(words[7]), timezone.utc)
        yield Waiting(words[0], since, words[4], (words[5], words[6]), reason=words[-1])


_LISTED: dict[str, tuple[list[str], Callable[[str, datetime], Iterator[Waiting]]]] = {
    "exim": (["exim", "-bp"], _exim),
    "postfix": (["postqueue", "-j"], _postfix),
    "opensmtpd": (["smtpctl", "show", "queue"], _opensmtpd),
}

# ---- those whose queue is a folder of files -----------------------------------------------------

#: sendmail's operations guide (2.3.1: a "qf" file a message); dma(8), FILES (a "Q" file each);
#: nullmailer-send(8), FILES.
_FOLDERS = {
    "sendmail": ("/var/spool/mqueue-client/qf", "/var/spool/mqueue/qf"),
    "dma": ("/var/spool/dma/Q",),
    "nullmailer": ("/var/spool/nullmailer/queue/",),
}

#: A line that is a recipient: sendmail's "RPFD:<a@b>", dma's "recipient: a@b", nullmailer's "a@b".
_ADDRESS = re.compile(r"^(?:R[A-Z]*:|recipient: )?<?([^\s<>]+@[^\s<>]+)>?$", re.MULTILINE)

#: Files of a queue that are looked at, and how many bytes of each.
_MOST_FILES, _MOST_BYTES = 1000, 4096


def _in_folders(host: Host, beginnings: tuple[str, ...]) -> Iterator[Waiting]:
    """Raises PermissionError."""
    for beginning in beginnings:
        folder, _, start = beginning.rpartition("/")
        names = [name for name in host.names(folder) if name.startswith(start)]
        for name in names[:_MOST_FILES]:
            found = host.info(f"{folder}/{name}")
            if found is None or found.kind != "file":
                continue  # sent meanwhile
            text = (host.read(f"{folder}/{name}") or b"")[:_MOST_BYTES].decode("utf-8", "replace")
            since = _came(text) or datetime.fromtimestamp(found.mtime, timezone.utc)
            yield Waiting(name, since, recipients=tuple(_ADDRESS.findall(text)))


def _came(text: str) -> datetime | None:
    """sendmail writes its file anew at each try; its line T is when the message came."""
    found = re.search(r"^T(\d{9,11})$", text, re.MULTILINE)
    return datetime.fromtimestamp(int(found[1]), timezone.utc) if found else None
