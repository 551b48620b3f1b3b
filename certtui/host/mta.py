"""Which mail transfer agent is behind ``sendmail``, and whether its daemon runs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from certtui.host import units
from certtui.host.facts import Mailer
from certtui.host.interface import Host
from certtui.host.system import read_text

#: Seconds. systemd answers at once or not at all.
_TIMEOUT = 5.0


@dataclass(frozen=True)
class Mta:
    """One kind of MTA. ``processes`` are what its daemon is called (proc(5), comm), if it has one.

    ``queues_only``: its ``sendmail`` takes a message and exits 0, and only the daemon sends it.
    """

    name: str
    units: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    queues_only: bool = False


@dataclass(frozen=True)
class Daemon:
    """How an MTA's daemon stands. ``unit`` is empty where systemd knows none of it.

    ``state`` is its UnitFileState; ``running`` None where nobody can tell.
    """

    running: bool | None
    unit: str = ""
    state: str = ""


#: sendmail(1) of postfix and of opensmtpd, nullmailer-inject(1), and sendmail's own operations
#: guide: the message goes to a queue that a daemon empties. exim's (chapter 3.11 of its
#: specification) and dma's deliver at once and keep what could not be.
MTAS = {
    mta.name: mta
    for mta in (
        Mta("exim", ("exim4.service", "exim.service"), ("exim4", "exim")),
        Mta("postfix", ("postfix.service",), ("master",), True),
        Mta("sendmail", ("sendmail.service",), ("sendmail", "sendmail-mta"), True),
        Mta("opensmtpd", ("opensmtpd.service", "smtpd.service"), ("smtpd",), True),
        Mta("nullmailer", ("nullmailer.service",), ("nullmailer-send",), True),
        Mta("dma"),
        Mta("msmtp"),
        Mta("ssmtp"),
        Mta("esmtp"),
        Mta("busybox"),
    )
}

#: What the program behind ``sendmail`` is called where its name tells; Fedora's alternatives have
#: sendmail.postfix, Debian's sendmail lies in a folder of its own.
_NAMES = (
    (r"(.*/)?(sendmail\.)?exim[^/]*", "exim"),
    (r"(.*/)?(sendmail\.)?(postfix|opensmtpd|msmtp|ssmtp|dma|esmtp)[^/]*", ""),
    (r"(.*/)?smtpctl", "opensmtpd"),
    (r"(.*/)?(sendmail\.sendmail|sm\.bin/sendmail)", "sendmail"),
    (r"(.*/)?busybox[^/]*", "busybox"),
)

#: What tells whose a plain ``sendmail`` is: postfix and nullmailer bring one without a link.
_BESIDE = (("postqueue", "postfix"), ("nullmailer-send", "nullmailer"))


def identify(host: Host, mailer: Mailer | None) -> Mta | None:
    """The MTA that takes our mail, or None where there is none or it is not one of these."""
    if mailer is None or mailer.kind != "sendmail":
        return None
    for pattern, name in _NAMES:
        found = re.fullmatch(pattern, mailer.real)
        if found:
            return MTAS[name or found[3]]
    # A program in its place, as a test or a wrapper is, is not the MTA that is installed beside it.
    if (host.tail(mailer.real, 1 << 20) or b"").startswith(b"#!"):
        return None
    return next((MTAS[name] for program, name in _BESIDE if host.which(program)), None)


def daemon(host: Host, mta: Mta, *, systemd: bool, is_root: bool) -> Daemon:
    """How the daemon stands; not running is said only where all processes can be seen."""
    unit = _unit(host, mta) if systemd else {}
    name, state = unit.get("Id", ""), unit.get("UnitFileState", "")
    seen = _runs(host, mta.processes)
    # Postfix's unit is active, exited, whatever becomes of its daemon.
    alive = unit.get("ActiveState") == "active" and unit.get("SubState") == "running"
    if seen or alive:
        return Daemon(True, name, state)
    if seen is None or (not is_root and unit.get("ActiveState") == "active"):
        return Daemon(None, name, state)
    return Daemon(False, name, state)


def _unit(host: Host, mta: Mta) -> units.Properties:
    asked = "Id,LoadState,ActiveState,SubState,UnitFileState"
    answer = host.run(["systemctl", "show", "-p", asked, "--", *mta.units], timeout=_TIMEOUT)
    for found in units.blocks(answer.out):
        if found.get("Id") in mta.units and found.get("LoadState") != "not-found":
            return found
    return {}


def _runs(host: Host, names: tuple[str, ...]) -> bool | None:
    """Whether one of the processes is there, those of containers on this host left out."""
    numbers = [entry for entry in host.names("/proc") if entry.isdigit()]
    if not numbers:
        return None
    return any(
        read_text(host, f"/proc/{number}/comm").strip() in names and _is_ours(host, number)
        for number in numbers
    )


def _is_ours(host: Host, number: str) -> bool:
    """proc(5), status: NSpid has a number more for each namespace of processes further in."""
    text = read_text(host, f"/proc/{number}/status")
    found = re.search(r"^NSpid:(.*)$", text, re.MULTILINE)
    return found is None or len(found[1].split()) <= 1
