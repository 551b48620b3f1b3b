"""A test mail, sent as the renew script sends its own: same program, same call, same headers.

That a mailer took it is all that is ever learnt here: what becomes of it later only its reader
knows. The script's side is ``render/templates/mail.sh``; a test holds the two together.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

from certtui.host import mailers
from certtui.host.interface import SAFE_PATH
from certtui.host.visible import visible

if TYPE_CHECKING:
    from certtui.host.facts import Mailer
    from certtui.host.interface import Host

#: Seconds the renew script waits for its mailer, and so the test.
TIMEOUT = 60.0

#: Seconds a mailer gets still when nobody waits for it any more, and to end when it is told to.
_HURRY, _GRACE = 3.0, 2.0

_TIMED_OUT, _NOT_FOUND = 124, 127

#: The most bytes and lines of a mailer's words that are shown.
_BYTES, _LINES = 4000, 6

#: sysexits(3head): what sendmail, Postfix, exim, msmtp and dma end with.
_MEANINGS = {
    64: "it does not understand how it was called",
    65: "it does not take such a message or address",
    67: "it knows no such user",
    68: "it knows no such host",
    69: "it cannot reach what it needs",
    70: "an error inside it",
    71: "an error of the system",
    73: "it cannot write its queue",
    74: "an error while it read or wrote",
    75: "it could not now; it may try again later",
    76: "the other mail server refused",
    77: "it does not let this user send, or the other server refused the login",
    78: "it is not configured, or wrongly",
}


@dataclass(frozen=True)
class Answer:
    """What a mailer answered. ``code`` is its exit status; ``program`` is empty where none is.

    ``user`` is whose mail it was: mailers have settings for each, and may let only some send.
    """

    program: str
    code: int
    words: str = ""
    timed_out: bool = False
    user: str = "root"

    @property
    def taken(self) -> bool:
        return self.code == 0


def send(
    to: str,
    sender: str,
    environment: Mapping[str, str],
    *,
    hostname: str,
    host: Host,
    left: threading.Event | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """Sends one to a validated address; blocks, at most ``timeout`` seconds.

    ``sender`` is the plan's ``mail.from``, ``environment`` its ``certbot.env``; ``left`` is set
    when nobody waits for the answer any more. Raises OSError where /tmp is full.
    """
    mailer = mailers.mailer(host)
    if mailer is None:
        return Answer("", _NOT_FOUND)
    argv, text = _call(mailer, to, sender, hostname)
    code, words, late = _run(argv, text, environment, left or threading.Event(), timeout)
    return Answer(os.path.basename(mailer.real), code, words, late, _user())


def _call(mailer: Mailer, to: str, sender: str, hostname: str) -> tuple[list[str], str]:
    """The argv and what goes to its standard input."""
    subject = "".join(c for c in f"[certtui] {hostname}: test mail" if " " <= c <= "~")[:200]
    body = _clean(
        f"Host:    {hostname}\n"
        "Result:  nothing failed; this is the test mail of certtui\n"
        f"Sent by: {_user()}\n"
        "\n"
        "The mail about a renewal that failed comes the same way.\n"
    )
    if mailer.kind != "sendmail":
        return [mailer.path, "-s", subject, to], body
    head = [f"From: {sender}"] if sender else []
    head += [
        f"To: {to}",
        f"Subject: {subject}",
        f"Date: {format_datetime(datetime.now(timezone.utc))}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    named = ["-f", sender] if sender else []
    return [mailer.path, "-oi", *named, to], "\n".join([*head, "", body])


def _clean(text: str) -> str:
    """No control characters, no line over 900 bytes, as the script does it."""
    kept = "".join(c for c in text if c in "\t\n" or (c >= " " and c != "\x7f"))
    return "".join(f"{line[:900]}\n" for line in kept.splitlines())


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    """What the script gives its mailer; another user has a home of their own."""
    home = "/root" if os.geteuid() == 0 else os.environ.get("HOME", "/")
    user = _user()
    return {
        "PATH": SAFE_PATH,
        "LC_ALL": "C",
        "HOME": home,
        "LOGNAME": user,
        "USER": user,
        **added,
    }


def _run(
    argv: Sequence[str],
    text: str,
    environment: Mapping[str, str],
    left: threading.Event,
    timeout: float,
) -> tuple[int, str, bool]:
    """Exit status, words, and whether it took too long.

    By files and not by pipes: a mailer that leaves a daemon behind keeps a pipe open.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(text.encode("utf-8", "replace"))
        given.seek(0)
        try:
            process = subprocess.Popen(
                argv,
                stdin=given,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=_environment(environment),
                cwd="/",
                umask=0o022,
                start_new_session=True,
            )
        except OSError as error:
            return 126, f"{argv[0]}: {error.strerror}", False
        late = not _ended(process, left, timeout)
        said.seek(0)
        words = said.read(_BYTES).decode("utf-8", "replace").strip()
        return _TIMED_OUT if late else process.returncode, words, late


def _ended(process: subprocess.Popen[bytes], left: threading.Event, timeout: float) -> bool:
    """Waits; False where it had to be ended, with all that it started."""
    until = time.monotonic() + timeout
    try:
        while process.poll() is None:
            if left.is_set():
                until = min(until, time.monotonic() + _HURRY)
                left = threading.Event()
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True
    finally:
        if process.poll() is None:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
            return


def sentences(answer: Answer, to: str, install: str) -> list[str]:
    """The answer for a person; ``install`` is the command that brings a mailer."""
    if not answer.program:
        return [f"NOT SENT: nothing here can send mail: {install}"]
    words = [visible(line) for line in answer.words.splitlines() if line.strip()]
    said = [f"{answer.program} said: {words[0]}", *words[1:_LINES]] if words else []
    if len(words) > _LINES:
        said.append(f"({len(words) - _LINES} more lines)")
    if answer.user != "root":
        said.append(f"This was sent as {answer.user}; the renew script sends as root.")
    if answer.taken:
        return [
            f"Taken by {answer.program} (exit status 0), which may still fail to deliver it:",
            f"look into the mailbox of {to}.",
            *said,
        ]
    if answer.timed_out:
        how = f"{answer.program} gave no answer and was ended; the renew script would, too"
    elif answer.code < 0:
        how = f"{answer.program} was ended by signal {-answer.code}"
    else:
        meaning = _MEANINGS.get(answer.code, "")
        how = f"{answer.program} ended with {answer.code}{f': {meaning}' if meaning else ''}"
    return [f"NOT SENT: {how}.", *said]
