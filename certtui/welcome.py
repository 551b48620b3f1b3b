"""What was found on this host, as the first page of both wizards shows it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from certtui.doctor import window
from certtui.explain import LOOKING, MOMENT
from certtui.plan import attempts

if TYPE_CHECKING:
    from certtui.host.facts import Facts, Lineage
    from certtui.interview import Interview


def rows(interview: Interview, *, most: int = 6, unknown: str = LOOKING) -> list[tuple[str, str]]:
    """What was found: (heading, line); a heading is empty in its further lines."""
    facts = interview.facts
    if facts is None:
        names = ("Certificates", "Web server", "certbot", "Mail", "Renewed by")
        return [(name, unknown) for name in names]
    now = interview.session.clock()
    install = facts.certbot(interview.values()["certbot.command"])
    version = install.version_tuple if install else ()
    width = max((len(item.name) for item in facts.lineages), default=0)
    listed = [f"{item.name:<{width}}  {_lineage(item, now, version)}" for item in facts.lineages]
    found = _rows("Certificates", listed, most)
    if not facts.lineages:
        found = [("Certificates", "none yet: get the first one, for example with")]
        found += [("", f"certbot certonly {_authenticator(facts)} -d {facts.system.hostname}")]
    servers = [
        f"{item.kind} {item.version}".strip() + f", {_serves(item.ports, item.running)}"
        for item in facts.webservers
    ]
    found += _rows("Web server", servers or ["none found"], 3)
    found += _rows("certbot", [_certbot(facts)], 1)
    mailer = f"{facts.mailer.path}, not proved" if facts.mailer else "nothing here can send mail"
    found += [("Mail", mailer)]
    renewers = [
        f"{item.where}, {'active' if item.active else 'not active'}{_when(item.next_run)}"
        for item in sorted(facts.renewers, key=lambda one: not one.active)
    ]
    found += _rows("Renewed by", renewers or ["nothing: no renewal is scheduled"], 3)
    found += _rows("Not seen", list(facts.unreadable), 2)
    return found


def _rows(head: str, lines: list[str], most: int) -> list[tuple[str, str]]:
    if len(lines) > most:
        lines = [*lines[: most - 1], f"and {len(lines) - most + 1} more"]
    return [(head if number == 0 else "", line) for number, line in enumerate(lines)]


def _certbot(facts: Facts) -> str:
    if facts.certbots:
        return ", ".join(f"{item.version} ({item.kind}) {item.path}" for item in facts.certbots)
    from certtui.change.packages import install_argv

    return f"not found: {' '.join(install_argv(facts, 'certbot')) or 'install it'}"


def _authenticator(facts: Facts) -> str:
    for server in facts.webservers:
        if server.kind in ("nginx", "apache") and server.ports:
            return f"--{server.kind}"
    return "--standalone"


def _serves(ports: tuple[int, ...], running: bool) -> str:
    if ports:
        return "owns " + " and ".join(str(port) for port in sorted(ports))
    return "running" if running else "stopped"


def _when(moment: datetime | None) -> str:
    return f", next {moment.astimezone():{MOMENT}}" if moment else ""


def _lineage(item: Lineage, now: datetime, certbot: tuple[int, ...]) -> str:
    if item.error:
        return item.error
    if item.not_after is None or item.not_before is None:
        return "no certificate"
    left = item.not_after - now
    days = left / timedelta(days=1)
    if days < 0:
        return f"expired {int(-days)} days ago"
    lifetime = (item.not_after - item.not_before) / timedelta(days=1)
    late = attempts.days_before_expiry(lifetime, certbot) - days
    # A run a day is the least that is usual: after two days a renewal was missed.
    due = ", overdue" if late > 2 else ", due" if late > 0 else ""
    return f"{window.left(left)}{due}"
