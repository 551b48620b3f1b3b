"""The drill's mail in a mailbox of this host: an mbox or a Maildir, whoever's it is.

A message is known by its own header, so that a bounce, which quotes it, is not taken for it. What
is in these folders is other users', who may put anything there while root looks: no link of theirs
is followed, only plain files with one name are read, and the search ends in time.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from certtui.host.interface import Host

_SPOOLS = ("/var/mail", "/var/spool/mail")

#: Bytes: of the end of an mbox, and of the head of a message.
_TAIL, _HEAD = 1 << 20, 1 << 16

#: Seconds by which clocks and file times may differ.
_SLACK = 2

#: Seconds that a whole search may take, and names of one Maildir that are looked at, newest first.
_LONGEST, _MOST = 3.0, 2000

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_OPEN_DIR = _OPEN | os.O_DIRECTORY


def find(
    host: Host, drill: str, since: float, takes: Callable[[str], bool] = lambda user: True
) -> str:
    """The mbox or the file of a Maildir that holds it; "" where none does.

    ``since`` (seconds since 1970) is when the drill began: what was delivered before is not read.
    ``takes`` tells whether a user's mailbox is looked into. Ends after a few seconds.
    """
    deadline = time.monotonic() + _LONGEST
    for path, messages in _all(host, since - _SLACK, takes):
        if any(_is_it(message, drill) for message in messages):
            return path
        if time.monotonic() > deadline:
            return ""
    return ""


def _all(
    host: Host, since: float, takes: Callable[[str], bool]
) -> Iterator[tuple[str, list[bytes]]]:
    """Every mailbox and file that may hold it, with its messages; also those that hold none."""
    seen = set()
    for spool in _SPOOLS:
        real = host.resolve(spool)
        if real is None or real in seen:
            continue  # one spool is a link to the other
        seen.add(real)
        with _entered(host, real) as folder:
            for name in filter(takes, _names(folder)):
                yield f"{spool}/{name}", _mbox(folder, name, since)
        for name in filter(takes, _names_of(host, real)):
            yield from _maildir(host, real, (name, "new"), f"{spool}/{name}/new", since)
    for user, home in _homes(host):
        if takes(user):
            yield from _maildir(host, home, ("Maildir", "new"), f"{home}/Maildir/new", since)


def _names_of(host: Host, path: str) -> list[str]:
    with _entered(host, path) as folder:
        return _names(folder)


@contextmanager
def _entered(host: Host, path: str, *below: str) -> Iterator[int | None]:
    """The open folder, and those below it without a link; None where one cannot be entered."""
    root = "" if host.root == "/" else host.root
    found: int | None = None
    try:
        # The folder itself is root's to name: a home may be reached by a link.
        found = os.open(root + path, _OPEN_DIR & ~os.O_NOFOLLOW)
        for name in below:
            upper, found = found, None
            try:
                found = os.open(name, _OPEN_DIR, dir_fd=upper)
            finally:
                os.close(upper)
    except OSError:
        found = None  # not there, a link, or on a server of files that lets not even root look
    try:
        yield found
    finally:
        if found is not None:
            os.close(found)


def _names(folder: int | None) -> list[str]:
    if folder is None:
        return []
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _read(folder: int, name: str, since: float, most: int, *, end: bool = False) -> bytes:
    """The beginning, or the end, of a plain file that changed since; else nothing."""
    try:
        fd = os.open(name, _OPEN, dir_fd=folder)
    except OSError:
        return b""
    try:
        found = os.fstat(fd)
        plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
        if not plain or found.st_mtime < since:
            return b""
        return os.pread(fd, most, max(0, found.st_size - most) if end else 0)
    except OSError:
        return b""
    finally:
        os.close(fd)


def _mbox(folder: int | None, name: str, since: float) -> list[bytes]:
    """The messages at the end of an mbox, newest first; one that is cut in two is left out."""
    text = b"" if folder is None else _read(folder, name, since, _TAIL, end=True)
    return re.split(rb"(?:\A|\n)From ", text)[:0:-1]


def _maildir(
    host: Host, top: str, below: tuple[str, ...], shown: str, since: float
) -> Iterator[tuple[str, list[bytes]]]:
    """New messages: their names begin with the second in which they came (maildir(5))."""
    with _entered(host, top, *below) as folder:
        if folder is None:
            return
        for name in _names(folder)[: -_MOST - 1 : -1]:
            came = re.match(r"\d{9,11}(?=\D)", name)
            if came is None or int(came[0]) >= since:
                yield f"{shown}/{name}", [_read(folder, name, since, _HEAD)]


def _homes(host: Host) -> list[tuple[str, str]]:
    """Users with their homes, each home once."""
    found: dict[str, str] = {}
    for line in (host.read("/etc/passwd") or b"").decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) == 7 and fields[5].startswith("/") and fields[5] != "/":
            found.setdefault(fields[5].rstrip("/"), fields[0])
    return sorted((user, home) for home, user in found.items())


def _is_it(message: bytes, drill: str) -> bool:
    """A mail that was given to mail(1) has no Message-ID of ours, but our subject."""
    head = re.split(rb"\r?\n\r?\n", message[:_HEAD], maxsplit=1)[0]
    head = re.sub(rb"\r?\n[ \t]+", b" ", head)
    mark = re.escape(drill.encode("ascii"))
    own = rb"^message-id:\s*<certtui-drill-" + mark + rb"@|^subject:.*\(drill " + mark + rb"\)"
    return re.search(own, head, re.IGNORECASE | re.MULTILINE) is not None
