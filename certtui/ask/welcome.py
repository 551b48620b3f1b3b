"""What was found on this host, as the first page of both wizards shows it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from certtui.ask import interview as talk
from certtui.ask.explain import LOOKING, MOMENT, mailer_name
from certtui.doctor.certificates import window
from certtui.plan.fields import BY_KEY

if TYPE_CHECKING:
    from certtui.ask.interview import Interview
    from certtui.host.facts import Facts, Lineage, Renewer

#: (heading, line); the heading is empty in further lines of the same.
Rows = list[tuple[str, str]]

_HEADS = ("Certificates", "Web server", "certbot", "Mail", "Renewed by")

#: Said as early as possible to a user who may not apply.
NOT_ROOT = "You are not root: up to Review, then the line for sudo."

#: Columns of the headings, and before them.
HEAD, MARGIN = 14, 2

#: How many certificates and how many of each other thing, from much room to little.
_SHORTER = ((12, 4), (8, 3), (6, 3), (4, 2), (3, 2), (2, 2))

#: A name is padded to this at most, so that one long name does not push all others aside.
_WIDEST = 32


def rows(interview: Interview, *, most: int = 6, others: int = 3, unknown: str = LOOKING) -> Rows:
    """What was found: at most ``most`` certificates and ``others`` of anything else."""
    facts = interview.facts
    if facts is None:
        return [(name, unknown) for name in _HEADS]
    hidden = _hidden(interview, facts)
    found = [
        *_certificates(interview, facts, hidden, most),
        *_rows("Web server", _servers(facts), others),
        *_rows("certbot", _certbots(facts), others),
        ("Mail", _mailer(facts)),
        *_rows("Renewed by", _renewers(facts, interview.session.clock()), others),
    ]
    unseen = [sentence for sentence in facts.unreadable if sentence not in hidden]
    return found + _rows("Not seen", unseen, others)


def fitted(
    interview: Interview, width: int, height: int, *, head: int = HEAD, unknown: str = LOOKING
) -> list[str]:
    """The same as lines of at most ``width``: the most that fit into ``height``.

    Where not even the least fits it is longer, for nothing that is needed to go on is left out.
    """
    lines: list[str] = []
    for most, others in _SHORTER:
        found = rows(interview, most=most, others=others, unknown=unknown)
        lines = list(_folded(found, width, head))
        if len(lines) <= height:
            break
    return lines


def _folded(found: Rows, width: int, head: int) -> Iterator[str]:
    room = max(20, width - head - MARGIN)
    for name, text in found:
        first, *more = textwrap.wrap(text, room, break_on_hyphens=False) or [""]
        yield f"{'':<{MARGIN}}{name:<{head}}{first}".rstrip()
        yield from (f"{'':<{MARGIN + head}}{line}" for line in more)


def applied(interview: Interview) -> bool:
    """Whether certtui renews here already."""
    return interview.facts is not None and any(item.ours for item in interview.facts.renewers)


def set_up(interview: Interview) -> str:
    """What the answers come to, in a few words."""
    values = interview.values()
    runs = len(values["schedule.times"]) or values["schedule.runs_per_day"]
    backend = talk.shown(BY_KEY["schedule.backend"], values["schedule.backend"])
    kind = values["webserver.kind"]
    server = f"{values['webserver.action']} {talk.shown(BY_KEY['webserver.kind'], kind)}"
    if kind in ("custom", "none"):
        server = "a command of your own" if kind == "custom" else "no reload"
    return f"{backend}, {runs} a day, {server}"


def notes(interview: Interview) -> list[str]:
    """Sentences about this start of the wizard."""
    session = interview.session
    lines = [session.before] if session.before else []
    if not session.may_apply:
        lines.append(NOT_ROOT)
    if interview.resumed:
        lines.append("Your answers of last time are taken up; = lists them.")
    elif session.base is not None:
        lines.append(f"The answers of {session.base.file} are taken up.")
    return lines


def _rows(head: str, lines: Sequence[str], most: int) -> Rows:
    if len(lines) > most:
        lines = [*lines[: most - 1], f"and {len(lines) - most + 1} more"]
    return [(head if number == 0 else "", line) for number, line in enumerate(lines)]


# -- certificates ----------------------------------------------------------------------------------


def _hidden(interview: Interview, facts: Facts) -> list[str]:
    """Why certificates could not be looked at."""
    from certtui.render.places import config_dir

    folder = config_dir(interview.document(lenient=True).plan)
    return [sentence for sentence in facts.unreadable if sentence.startswith(f"{folder}/renewal")]


def _certificates(interview: Interview, facts: Facts, hidden: list[str], most: int) -> Rows:
    """The most urgent first; the rest is counted."""
    if not facts.lineages:
        if hidden:
            return [("Certificates", "only root may see them: sudo certtui")]
        name = facts.system.hostname
        domain = name if "." in name else "DOMAIN"
        command = f"certbot certonly {_authenticator(facts)} -d {domain}"
        return [("Certificates", "none yet; the first one, for example:"), ("", command)]
    now = interview.session.clock()
    install = facts.certbot(interview.values()["certbot.command"])
    version = install.version_tuple if install else ()
    ordered = sorted(facts.lineages, key=lambda item: _urgency(item, now))
    shown = ordered if len(ordered) <= most else ordered[: most - 1]
    width = min(_WIDEST, max(len(item.name) for item in shown))
    lines = [f"{item.name:<{width}}  {_lineage(item, now, version)}" for item in shown]
    rest = ordered[len(shown) :]
    if rest:
        lines.append(f"and {len(rest)} more, {_rest(rest, now)}")
    return _rows("Certificates", lines, len(lines))


def _urgency(item: Lineage, now: datetime) -> tuple[bool, timedelta, str]:
    """What cannot be read needs a person first; then what expires first."""
    left = item.not_after - now if item.not_after else timedelta.min
    return not item.error, left, item.name


def _rest(rest: Sequence[Lineage], now: datetime) -> str:
    """What is to be known of certificates that are only counted."""
    ends = [item.not_after for item in rest if not item.error and item.not_after is not None]
    unread, expired = len(rest) - len(ends), sum(end < now for end in ends)
    counted = [f"{unread} cannot be read"] if unread else []
    counted += [f"{expired} expired" if expired < len(rest) else "all expired"] if expired else []
    return " and ".join(counted) or f"{window.left(min(ends) - now)} or more"


def _lineage(item: Lineage, now: datetime, certbot: tuple[int, ...]) -> str:
    if item.error:
        return item.error
    before = window.before_expiry(item, certbot)
    if item.not_after is None or before is None:
        return "no certificate"
    left = item.not_after - now
    if left < timedelta():
        return f"EXPIRED {_ago(-left)} ago"
    # A run a day is the least that is usual: after two days a renewal was missed.
    late = before - left
    due = ", overdue" if late > timedelta(days=2) else ", due" if late > timedelta() else ""
    return f"{window.left(left)}{due}"


def _ago(length: timedelta) -> str:
    hours = length // timedelta(hours=1)
    return f"{hours // 24} days" if hours >= 72 else f"{hours} hours"


def _authenticator(facts: Facts) -> str:
    for server in facts.webservers:
        if server.kind in ("nginx", "apache") and server.ports:
            return f"--{server.kind}"
    return "--standalone"


# -- everything else -------------------------------------------------------------------------------


def _servers(facts: Facts) -> list[str]:
    return [
        f"{item.kind} {item.version}".strip() + f", {_serves(item.ports, item.running)}"
        for item in facts.webservers
    ] or ["none found"]


def _serves(ports: tuple[int, ...], running: bool) -> str:
    if ports:
        return "owns " + " and ".join(str(port) for port in sorted(ports))
    return "running" if running else "stopped"


def _certbots(facts: Facts) -> list[str]:
    if facts.certbots:
        return [f"{item.version} ({item.kind}) {item.path}".strip() for item in facts.certbots]
    return [f"not found: {_install(facts, 'certbot')}"]


def _mailer(facts: Facts) -> str:
    if facts.mailer is None:
        return f"nothing here can send mail: {_install(facts, 'mail')}"
    return f"{mailer_name(facts.mailer.path, facts.mailer.real)}, not proved"


def _install(facts: Facts, need: str) -> str:
    from certtui.change.packages import install_argv

    return " ".join(install_argv(facts, need)) or "install it with the system's package manager"


def _renewers(facts: Facts, now: datetime) -> list[str]:
    """What fires before what does not, ours first; a file of ours is one, however many lines."""
    once: dict[str, Renewer] = {}
    for item in facts.renewers:
        name = f"certtui: {item.where.partition(':')[0]}" if item.ours else item.where
        known = once.get(name)
        if known is None or _sooner(item, known):
            once[name] = item
    ordered = sorted(once.items(), key=lambda one: (not one[1].active, not one[1].ours))
    lines = [f"{name}, {_fires(item, now)}" for name, item in ordered]
    if not any(item.active for item in facts.renewers):
        lines.insert(0, "nothing: no renewal is scheduled")
    return lines


def _sooner(item: Renewer, known: Renewer) -> bool:
    if item.active != known.active:
        return item.active
    if item.next_run is None or known.next_run is None:
        return known.next_run is None and item.next_run is not None
    return item.next_run < known.next_run


def _fires(item: Renewer, now: datetime) -> str:
    if not item.active:
        return "not active"
    if item.next_run is None:
        return "active"
    soon = item.next_run - now < timedelta(days=6)
    return f"next {item.next_run.astimezone():{'%a %H:%M' if soon else MOMENT}}"
