"""Where the drill's mail went: the MTA's log, its queue id, and the mailbox where that is here."""

from __future__ import annotations

import re

from certtui.drill import mailbox, trail, work
from certtui.drill.model import Outcome, Scene, Step
from certtui.drill.trail import Fate, Trail
from certtui.host import mta
from certtui.host.mta import Mta

#: Mailers that end only once another host has the message; they keep no queue.
_DIRECT = ("msmtp", "ssmtp", "esmtp", "busybox")

#: Mailers whose log, where they have one, does not tell a Message-ID.
_SILENT = (*_DIRECT, "dma", "nullmailer", "opensmtpd")

#: Seconds that a mail which waits for another try is watched still.
_SETTLE = 4.0

#: How exim and Postfix log what an alias or a transport discards.
_THROWN = re.compile(
    r"=> :blackhole:|=> /dev/null\b|\(delivered to file: /dev/null|relay=none\b.*status=sent"
)

_TAKEN, _DELIVERED = "taken by the mailer", "delivered"


class _Watch:
    """What is known of one mail, until it has arrived, failed, or the time is up."""

    def __init__(self, scene: Scene, drill: str, since: float, silent: bool) -> None:
        self.scene, self.drill, self.since, self.silent = scene, drill, since, silent
        self.trail: Trail | None = None
        self.box = ""
        self._settled = 0.0

    def ends(self) -> bool:
        host, now = self.scene.host, self.scene.clock.now()
        if not (self.box and self.silent):
            self.trail = trail.look(host, f"certtui-drill-{self.drill}@", self.since)
        self.box = mailbox.find(host, self.drill, self.since, self._takes)
        if self.box:
            # Its log may come a moment later, and tell of other recipients of an alias.
            self._settled = self._settled or now + (0 if self.silent else 2)
            return now >= self._settled or bool(self.trail and self.trail.of(trail.BOUNCED))
        if self.trail is None or not self.trail.fates:
            return False
        if self.trail.of(trail.BOUNCED):
            return True
        self._settled = self._settled or now + _SETTLE
        return now >= self._settled

    def _takes(self, user: str) -> bool:
        """Whether it may be this user's: the log, where it tells, names who got it."""
        fates = self.trail.fates if self.trail else ()
        sent = [fate.words for fate in fates if fate.outcome == trail.SENT]
        mark = re.compile(rf"(?<![\w.-]){re.escape(user)}(?![\w.-])", re.IGNORECASE)
        return not sent or any(mark.search(words) for words in sent)


def follow(scene: Scene, outcome: Outcome, since: float, until: float) -> str:
    """Two steps, and the end of the sentence about where it is; "" where it is not known.

    ``since`` and ``until`` are seconds since 1970.
    """
    known = mta.identify(scene.host, scene.facts.mailer)
    mailer = scene.facts.mailer
    silent = mailer is None or mailer.kind != "sendmail" or bool(known and known.name in _SILENT)
    watch = _Watch(scene, outcome.id, since, silent)
    scene.on_wait("the mailer took it; looking for it in log and mailbox")
    if silent and known and known.name in _DIRECT:
        until = min(until, scene.clock.now() + 5)  # where it went is not to be seen here
    scene.wait(watch.ends, until, 0.5)
    name = _name(scene, known, watch.trail)
    if not work.say(scene, outcome, _taken(scene, name, watch, known)):
        return ""
    outcome.mail.queue_id = watch.trail.queue_id if watch.trail else ""
    step, where = _delivered(scene, outcome, name, watch, known)
    work.say(scene, outcome, step)
    outcome.mail.delivered = step.message if step.ok else ""
    if watch.box:
        outcome.mail.delivered = watch.box
    return where if step.ok else ""


def _name(scene: Scene, known: Mta | None, found: Trail | None) -> str:
    if found is not None:
        return found.mta
    if known is not None:
        return known.name
    mailer = scene.facts.mailer
    return mailer.path if mailer else "the mailer"


def _taken(scene: Scene, name: str, watch: _Watch, known: Mta | None) -> Step:
    if watch.trail is not None:
        return Step(_TAKEN, True, f"{name}, queue id {watch.trail.queue_id}")
    if watch.box or watch.silent:
        return Step(_TAKEN, True, f"{name}; this mailer tells no queue id")
    message = f"{name} ended well, but no log tells of the mail and no mailbox here has it"
    return Step(_TAKEN, False, *(_stopped(scene, known) or (message, "certtui doctor")))


def _stopped(scene: Scene, known: Mta | None) -> tuple[str, str] | None:
    """What is the matter where only a daemon sends what was taken, and it does not run."""
    if known is None or not known.queues_only:
        return None
    systemd = scene.facts.has_systemd
    daemon = mta.daemon(scene.host, known, systemd=systemd, is_root=scene.host.is_root())
    if daemon.running is not False:
        return None
    start = ("systemctl", "start", daemon.unit) if daemon.unit else ("service", known.name, "start")
    return f"{known.name} does not run: the mail waits in its queue", " ".join(start)


def _delivered(
    scene: Scene, outcome: Outcome, name: str, watch: _Watch, known: Mta | None
) -> tuple[Step, str]:
    """The step, and where the mail is for the last sentence."""
    to = outcome.mail.to
    found = watch.trail
    if watch.box:
        lost = found.lost if found is not None else None
        if lost is not None:
            return _lost(outcome, name, watch.box, lost), ""
        return Step(_DELIVERED, True, f"it is in {watch.box}"), f"its mail is in {watch.box}"
    if found is not None and found.of(trail.BOUNCED):
        words = f"{name} could not deliver it: {found.of(trail.BOUNCED)}"
        return Step(_DELIVERED, False, words, f"see that {to} takes mail, then certtui drill"), ""
    if found is not None and found.of(trail.DEFERRED) and not found.of(trail.SENT):
        words = f"{name} could not deliver it yet: {found.of(trail.DEFERRED)}"
        return Step(_DELIVERED, False, words, "mailq"), ""
    if found is not None and _THROWN.search(found.of(trail.SENT)):
        words = f"{name} has thrown it away: {found.of(trail.SENT)}"
        return Step(_DELIVERED, False, words, f"let {to} be a mailbox that somebody reads"), ""
    if found is not None and found.of(trail.SENT):
        words = f"{name}: {found.of(trail.SENT)}"
        look = f"look for it in the mailbox of {to}, which is none that can be seen here"
        return Step(_DELIVERED, True, f"{words}; {look}"), f"{name} has sent its mail on"
    if found is not None:
        return Step(_DELIVERED, False, f"{name} has it in its queue still", "mailq"), ""
    waits = _waiting(scene, outcome, known)
    if waits:
        return Step(_DELIVERED, False, f"{name} has it in its queue still: {waits}", "mailq"), ""
    look = f"where it went is not to be seen here: look for it in the mailbox of {to}"
    return Step(_DELIVERED, True, look), f"{name} took its mail"


def _lost(outcome: Outcome, name: str, box: str, lost: Fate) -> Step:
    """One of an alias has it, another has not."""
    yet = "" if lost.outcome == trail.BOUNCED else " yet"
    message = f"it is in {box}, but {name} could not deliver it to {lost.recipient}{yet}"
    mend = f"see that all whom {outcome.mail.to} names take mail, then certtui drill"
    return Step(_DELIVERED, False, f"{message}: {lost.words}", mend if not yet else "mailq")


def _waiting(scene: Scene, outcome: Outcome, known: Mta | None) -> str:
    """The file of a queue that is a folder and holds it, of mailers that tell no queue id."""
    for folder in {"nullmailer": ["/var/spool/nullmailer/queue"], "dma": ["/var/spool/dma"]}.get(
        known.name if known else "", []
    ):
        for name in scene.host.names(folder):
            if outcome.id.encode() in (scene.host.read(f"{folder}/{name}", 1 << 16) or b""):
                return f"{folder}/{name}"
    return ""
