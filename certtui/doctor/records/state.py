"""certtui's own notes: can they be read?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from certtui.change.files import Tree
from certtui.change.journal import Journal
from certtui.change.store import HOME, JOURNAL
from certtui.doctor.check import Check, Context, Kind, needs_root
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.records import lastmail
from certtui.errors import ApplyFailed

_NOTES = Kind(
    "state.notes",
    Status.WARN,
    "every note in certtui's folder can be read",
    "A full disk or an editor leaves a note that means nothing; it is then taken for none.",
)
_MAIL = Kind(
    "state.mail",
    Status.WARN,
    "the note of what was mailed can be read",
    "The renew script mails a lasting failure once a day by this note: what it cannot understand "
    "it passes over, so that the failure may be mailed again, or its end not at all.",
)
_LAST = Kind(
    "state.last-mail",
    Status.WARN,
    "the note of the last mail can be read",
    "certtui status shows it, and doctor tells by it whether the mailer took the last mail.",
)
_JOURNAL = Kind(
    "state.journal",
    Status.FAIL,
    "an apply, undo or remove that was cut off can be ended",
    "certtui ends what was cut off before it does anything else, and does nothing where it cannot: "
    "the files may be old and new in parts.",
)

MAIL_STATE = f"{HOME}/mail-state"

#: As ``read_mail_state`` in render/templates/mail.sh reads it.
_LINE = re.compile(r"(failing|mailed|locked)=([1-9]\d{0,10})?")


def _state(context: Context) -> Iterator[Finding]:
    found = [*_mail_state(context), *_last_mail(context), *_journal(context)]
    yield from found or [_NOTES.ok(HOME, "every note in it can be read")]


def _mail_state(context: Context) -> Iterator[Finding]:
    try:
        data = context.host.tail(MAIL_STATE, 4096)
    except PermissionError:
        yield _MAIL.skip(MAIL_STATE, needs_root())
        return
    lines = (data or b"").decode("utf-8", "replace").splitlines()
    odd = [line for line in lines if line and not _LINE.fullmatch(line)]
    if odd:
        fix = Fix(("rm", MAIL_STATE), True)
        yield _MAIL.found(MAIL_STATE, f"{len(odd)} lines cannot be understood", odd[0][:200], fix)


def _last_mail(context: Context) -> Iterator[Finding]:
    path = lastmail.LAST_MAIL
    try:
        lastmail.read(context.host)
    except PermissionError:
        yield _LAST.skip(path, needs_root())
    except ValueError:
        line = (context.host.tail(path, 200) or b"").decode("utf-8", "replace")
        yield _LAST.found(path, "cannot be understood", line.strip(), Fix(("rm", path), True))


def _journal(context: Context) -> Iterator[Finding]:
    """Root's commands have ended what could be ended, and one that is at work is no damage."""
    if not context.is_root:
        return
    try:
        Journal(Tree(context.host.root), context.host).intent("current")
    except FileNotFoundError as error:
        if "current" not in context.host.names(JOURNAL):
            return
        reason = f"{error} is missing"
    except ApplyFailed as error:
        reason = str(error)
    else:
        return
    aside = f"{HOME}/journal-{context.now:%Y%m%dT%H%M%S}.damaged"
    message = f"{reason}: what was begun can be neither ended nor taken back; move it, apply again"
    fix = Fix(("mv", f"{JOURNAL}/current", aside))
    yield _JOURNAL.found(JOURNAL, message, f"{JOURNAL}/current", fix)


CHECKS = (Check((_NOTES, _MAIL, _LAST, _JOURNAL), _state),)
