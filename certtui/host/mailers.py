"""What can send mail from this host."""

from __future__ import annotations

from certtui.host.facts import Mailer
from certtui.host.interface import Host

#: sendmail, the interface that every MTA brings, is preferred: it takes a whole message.
_PROGRAMS = (("sendmail", "sendmail"), ("mail", "mail"), ("mail", "mailx"))


def mailer(host: Host) -> Mailer | None:
    """The mailer that the generated scripts will find, or None. Nothing is proved by it.

    They look on their PATH alone, so that the other name of FHS 3.0, /usr/lib/sendmail, is none.
    """
    for kind, program in _PROGRAMS:
        path = host.which(program)
        real = host.resolve(path) if path else None
        found = host.info(real) if real else None
        if path and real and found and found.mode & 0o111:
            return Mailer(kind, path, real)
    return None
