"""What became of our mails: handed over, on their way, delivered or sent back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from certtui.change.store import RUNS_LOG
from certtui.doctor.check import Context, Kind, needs_root
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.records import history, lastmail
from certtui.doctor.surroundings import way
from certtui.doctor.surroundings.way import ALIASES_FILE
from certtui.host import maillog, mailqueue
from certtui.host.maillog import BOUNCED, DEFERRED, Delivery, Log
from certtui.host.mailqueue import Queue, Waiting
from certtui.host.mta import Mta

DELIVERY = Kind(
    "mail.delivery",
    Status.FAIL,
    "the last mail to mail.to was delivered",
    "A mailer that takes a message has not delivered it. What the next one did with it is in the "
    "log of the MTA alone; a mail that was sent back lies in root's mailbox, which nobody reads.",
)
NOT_SENT = Kind(
    "mail.not-sent",
    Status.FAIL,
    "the mailer took the last mail of the renew script",
    "The script can tell nobody that it could tell nobody: only this and the system's log know.",
)
QUEUE = Kind(
    "mail.queue",
    Status.FAIL,
    "no mail of ours waits for more than an hour, or is frozen",
    "A mail that waits is news that nobody gets. exim gives up on a frozen one altogether "
    "(its specification, chapter 48), postfix after five days (maximal_queue_lifetime).",
)
DEFERRED_KIND = Kind(
    "mail.deferred",
    Status.WARN,
    "the last mail to mail.to did not have to wait",
    "A server that asks to try again may take the next try, or none: the queue tells in an hour.",
)
ALIASES = Kind(
    "mail.aliases",
    Status.WARN,
    "the MTA's table of aliases is as new as /etc/aliases",
    "sendmail and postfix read the table that newaliases(1) makes, not the text: until it is run, "
    "mail to root goes where it went before the edit, and without a table postfix defers it.",
)
KINDS = (DELIVERY, NOT_SENT, *way.KINDS, QUEUE, DEFERRED_KIND, ALIASES)

#: A mail that waits for less may be one of a server that asks everybody to come again.
_PATIENCE = timedelta(hours=1)

#: What proves that mail works again, once its cause is mended.
_DRILL = Fix(("certtui", "drill"))

#: Seconds that an MTA may take to say how it is set up.
_TIMEOUT = 5.0


def findings(context: Context, agent: Mta | None, *, works: bool) -> Iterator[Finding]:
    """What is wrong, each cause once. ``works`` is False where what is queued cannot leave."""
    assert context.plan is not None
    found = [*_handed_over(context)]
    if works and agent is not None and not found:
        found = [*way.findings(context, agent)] or [*_on_its_way(context, agent)]
        yield from _aliases(context, agent)
    yield from found or [_nothing(context, agent)]


def _nothing(context: Context, agent: Mta | None) -> Finding:
    """Nothing is known of any delivery; what was handed over last, if anything was."""
    assert context.plan is not None
    to = context.plan.mail.to
    try:
        last = lastmail.read(context.host)
    except (ValueError, PermissionError):
        last = None  # doctor/records/state.py says so
    if last is None:
        return DELIVERY.skip(to, "no mail has been sent yet: certtui drill proves it")
    asked = f"the log of {agent.name} does not tell" if agent else "no log of its MTA is known"
    return DELIVERY.skip(
        to, f"handed over at {last.time:%Y-%m-%d %H:%M} UTC; {asked} what became of it"
    )


# ---- the mailer --------------------------------------------------------------------------------


def _handed_over(context: Context) -> Iterator[Finding]:
    """By the line of the last mail, or, of scripts that leave none, by that of the last run."""
    assert context.plan is not None
    to = context.plan.mail.to
    try:
        last = lastmail.read(context.host)
        run = history.read(context.host).last
    except PermissionError:
        yield NOT_SENT.skip(to, needs_root(lastmail.LAST_MAIL))
        return
    except ValueError:
        return
    if last is not None:
        if not last.sent:
            evidence = f"{lastmail.LAST_MAIL}: {last.time:%Y-%m-%d %H:%M UTC} {last.text}"
            yield NOT_SENT.found(to, "the last mail did not leave", evidence, _DRILL)
    elif run is not None and "mail not sent" in run.detail:
        evidence = f"{RUNS_LOG}: {run.time:%Y-%m-%d %H:%M UTC} {run.result} {run.detail}"
        yield NOT_SENT.found(to, "the last run's mail did not leave", evidence, _DRILL)


# ---- the table of aliases ------------------------------------------------------------------------


def _aliases(context: Context, agent: Mta) -> Iterator[Finding]:
    if agent.name not in ("postfix", "sendmail"):
        return
    text = context.host.info(ALIASES_FILE)
    tables = [
        found
        for ending in (".db", ".lmdb", ".cdb")
        if (found := context.host.info(f"{ALIASES_FILE}{ending}")) is not None
    ]
    if text is None or any(table.mtime >= text.mtime for table in tables):
        return
    if not tables and not _wants_table(context, agent):
        return
    what = "is older than it" if tables else "is missing"
    fix = Fix(("newaliases",), True)
    yield ALIASES.found(
        ALIASES_FILE, f"the table made from it {what}", f"{ALIASES_FILE}: edited", fix
    )


def _wants_table(context: Context, agent: Mta) -> bool:
    if agent.name == "sendmail":
        return False
    said = context.host.run(["postconf", "-hx", "alias_maps"], timeout=_TIMEOUT)
    return bool(re.search(rf"\b(hash|lmdb|cdb|btree):{ALIASES_FILE}\b", said.out))


# ---- the queue and the log -----------------------------------------------------------------------


def _on_its_way(context: Context, agent: Mta) -> Iterator[Finding]:
    assert context.plan is not None
    to = context.plan.mail.to
    try:
        queue = mailqueue.queue(context.host, agent, context.now)
        log = maillog.read(context.host, agent)
    except PermissionError as error:
        yield DELIVERY.skip(to, needs_root(str(error.filename or "the MTA's log")))
        return
    ours = [one for one in log.deliveries if any(same(to, address) for address in one.addresses)]
    last = ours[-1] if ours else None
    if last is not None and last.outcome == BOUNCED:
        message = f"the last mail to it was sent back at {last.when}"
        yield DELIVERY.found(to, message, f"{log.source}: {last.line}", _DRILL)
        return
    waiting = _ours(context, queue) if queue else []
    stuck = [one for one in waiting if one.frozen or context.now - one.since > _PATIENCE]
    if queue is not None and stuck:
        yield _stuck(agent, to, queue, stuck, last)
    elif last is not None and last.outcome == DEFERRED:
        yield _deferred(agent, to, log, last, queue, waiting)
    elif last is not None:
        yield DELIVERY.ok(to, f"last delivered at {last.when}", last.line)
    elif queue is not None and queue.problem and context.is_root:
        yield QUEUE.skip(to, f"the queue cannot be looked at: {queue.problem}")


def _deferred(
    agent: Mta, to: str, log: Log, last: Delivery, queue: Queue | None, waiting: list[Waiting]
) -> Finding:
    """It may have been taken out of the queue since, which no log tells."""
    if queue is not None and not queue.problem and not waiting:
        gone = "and is in the queue no more: certtui drill proves that mail arrives"
        return DELIVERY.skip(to, f"the last mail to it had to wait at {last.when}, {gone}")
    evidence = f"{log.source}: {last.line}"
    fix = _again(agent, waiting[-1]) if waiting else None
    return DEFERRED_KIND.found(to, f"the last mail to it waits since {last.when}", evidence, fix)


def _ours(context: Context, queue: Queue) -> list[Waiting]:
    """Messages to mail.to, or of root's; oldest first."""
    assert context.plan is not None
    mail = context.plan.mail

    def is_ours(message: Waiting) -> bool:
        if any(same(mail.to, address) for address in message.recipients):
            return True
        # A mail of ours that was sent back goes to its sender from nobody.
        from_us = message.recipients if not message.sender else (message.sender,)
        return any(same(wanted, one) for wanted in {"root", mail.sender} - {""} for one in from_us)

    return sorted(filter(is_ours, queue.messages), key=lambda message: message.since)


def _stuck(
    agent: Mta, to: str, queue: Queue, waiting: list[Waiting], last: Delivery | None
) -> Finding:
    oldest = waiting[0]
    frozen = "is on hold" if agent.name == "postfix" else "is frozen"
    state = frozen if oldest.frozen else f"waits since {oldest.since:%Y-%m-%d %H:%M} UTC"
    count = f"; {len(waiting)} wait in all" if len(waiting) > 1 else ""
    lines = [f"{queue.command}: {oldest.id} <{oldest.sender}> {' '.join(oldest.recipients)}"]
    lines += [oldest.reason] if oldest.reason else []
    lines += [last.line] if last is not None and last.outcome == DEFERRED else []
    return QUEUE.found(
        to, f"a mail of this host {state}{count}", "\n".join(lines), _again(agent, oldest)
    )


def _again(agent: Mta, message: Waiting) -> Fix | None:
    """The command that tries it again now; exim's -M thaws a frozen one (specification, 5)."""
    tries: dict[str, tuple[str, ...]] = {
        "exim": ("exim", "-M", message.id),
        # postsuper(1): what is on hold is tried no more until it is let go.
        "postfix": (*(("postsuper", "-H") if message.frozen else ("postqueue", "-i")), message.id),
        "sendmail": ("sendmail", "-q", "-v"),
        "opensmtpd": ("smtpctl", "schedule", message.id),
        "dma": ("dma", "-q"),
    }
    return Fix(tries[agent.name]) if agent.name in tries else None


def same(wanted: str, address: str) -> bool:
    """Whether a log's address is the plan's; one without a domain may have been given any."""
    user, at, domain = wanted.lower().partition("@")
    other, _, place = address.lower().partition("@")
    return user == other and (not at or domain == place)
