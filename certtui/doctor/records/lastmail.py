"""What became of the last mail of ours: the line that ``render/templates/mail.sh`` leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from certtui.change.store import HOME
from certtui.host.interface import Host

LAST_MAIL = f"{HOME}/last-mail"

_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (sent|failed) ?(.*)\n?")


@dataclass(frozen=True)
class LastMail:
    """``text`` is the subject of a mail that the mailer took, else why it was not taken."""

    time: datetime  # UTC
    sent: bool
    text: str


def read(host: Host) -> LastMail | None:
    """None before the first mail. Raises ValueError for a damaged line, and PermissionError."""
    data = host.tail(LAST_MAIL, 4096)
    if data is None:
        return None
    found = _LINE.fullmatch(data.decode("utf-8", "replace"))
    if found is None:
        raise ValueError(LAST_MAIL)
    when = datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return LastMail(when, found[2] == "sent", found[3])
