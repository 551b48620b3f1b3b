"""What can send mail from this host."""

from __future__ import annotations

from certtui.host.facts import Mailer
from certtui.host.interface import Host

#: The interface that every MTA brings is preferred: it takes a whole message. FHS 3.0, 4.10.
_SENDMAIL = ("/usr/sbin/sendmail", "/usr/lib/sendmail")


def mailer(host: Host) -> Mailer | None:
    """The mailer that the generated scripts will find, or None. Nothing is proved by it."""
    sendmail = host.which("sendmail")
    for kind, path in (
        *(("sendmail", path) for path in (sendmail, *_SENDMAIL)),
        *(("mail", host.which(program)) for program in ("mail", "mailx")),
    ):
        real = host.resolve(path) if path else None
        found = host.info(real) if real else None
        if path and real and found and found.mode & 0o111:
            return Mailer(kind, path, real)
    return None
