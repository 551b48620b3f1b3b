"""The drill's mail in a mailbox of this host: an mbox or a Maildir, whoever's it is.

A message is known by its own header, so that a bounce, which quotes it, is not taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from certtui.host.interface import Host

_SPOOLS = ("/var/mail", "/var/spool/mail")

#: Bytes: of the end of an mbox, and of the head of a message.
_TAIL, _HEAD = 1 << 20, 1 << 16

#: Seconds by which clocks and file times may differ.
_SLACK = 2


def find(host: Host, drill: str, since: float) -> str:
    """The mbox or the file of a Maildir that holds it; "" where none does.

    ``since`` (seconds since 1970) is when the drill began: what was delivered before is not read.
    """
    for path in _mboxes(host, since):
        if any(_is_it(text, drill) for text in _messages(host, path)):
            return path
    for path in _maildir_files(host, since):
        if _is_it(host.read(path, _HEAD) or b"", drill):
            return path
    return ""


def _mboxes(host: Host, since: float) -> Iterator[str]:
    seen = set()
    for spool in _SPOOLS:
        for name in _names(host, spool):
            path = f"{spool}/{name}"
            found = host.info(path)
            if found is None or found.kind != "file" or found.mtime < since - _SLACK:
                continue
            real = host.resolve(path) or path  # one spool is a link to the other
            if real not in seen:
                seen.add(real)
                yield path


def _messages(host: Host, path: str) -> list[bytes]:
    """The messages at the end of an mbox, newest first; one that is cut in two is left out."""
    text = host.tail(path, _TAIL) or b""
    parts = re.split(rb"(?:\A|\n)From ", text)
    return parts[:0:-1]


def _names(host: Host, folder: str) -> list[str]:
    """What is in it; nothing where a server of files lets not even root look."""
    try:
        return host.names(folder)
    except OSError:
        return []


def _maildir_files(host: Host, since: float) -> Iterator[str]:
    """New messages: their names begin with the second in which they came (maildir(5))."""
    for folder in _maildirs(host):
        for name in _names(host, folder):
            came = re.match(r"\d{9,11}(?=\D)", name)
            if came is None or int(came[0]) >= since - _SLACK:
                yield f"{folder}/{name}"


def _maildirs(host: Host) -> Iterator[str]:
    for spool in _SPOOLS:
        for name in _names(host, spool):
            found = host.info(f"{spool}/{name}")
            if found is not None and found.kind == "directory":
                yield f"{spool}/{name}/new"
    for home in sorted(set(_homes(host))):
        yield f"{home}/Maildir/new"


def _homes(host: Host) -> Iterator[str]:
    for line in (host.read("/etc/passwd") or b"").decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) == 7 and fields[5].startswith("/") and fields[5] != "/":
            yield fields[5].rstrip("/")


def _is_it(message: bytes, drill: str) -> bool:
    """A mail that was given to mail(1) has no Message-ID of ours, but our subject."""
    head = re.split(rb"\r?\n\r?\n", message[:_HEAD], maxsplit=1)[0]
    head = re.sub(rb"\r?\n[ \t]+", b" ", head)
    mark = re.escape(drill.encode("ascii"))
    own = rb"^message-id:\s*<certtui-drill-" + mark + rb"@|^subject:.*\(drill " + mark + rb"\)"
    return re.search(own, head, re.IGNORECASE | re.MULTILINE) is not None
