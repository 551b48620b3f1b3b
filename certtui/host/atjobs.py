"""Queued at jobs that renew certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from certtui.host.facts import Renewer
from certtui.host.interface import Host
from certtui.host.renewers import is_ours, is_renewal

#: Jobs that are opened; each costs a start of at.
_MOST = 100

#: at(1), -l: "7<TAB>Tue Nov 24 22:58:00 2026 c root", in the zone of the one who asks.
_LISTED = re.compile(r"^(\d+)\t(.{24}) (\S) (.+)$", re.MULTILINE)

#: What marks a job of ours in ``at -c``: the slot in its environment and its only command.
_SLOT = re.compile(r"^CERTTUI_SLOT=(\d+);", re.MULTILINE)
_COMMAND = re.compile(r"exec (/\S*/certbot-at-(?:block|random)) </dev/null")


@dataclass(frozen=True)
class Job:
    """A job that one of our at scripts queued for itself. ``when`` is UTC, a whole minute.

    ``slot`` is the minute since 1970, by the clock of the script's slots, that it is for.
    """

    number: str
    when: datetime
    script: str
    slot: int


def ours(host: Host) -> tuple[Job, ...]:
    """The jobs of our at scripts that wait in root's queue, in the order of ``atq``.

    A job that runs ("=" in place of its queue's letter) is over for the queue and left out. Nothing
    where there is no at, or where the caller is not root: other users' queues are not theirs.
    """
    return tuple(_our_jobs(host))


def _our_jobs(host: Host) -> Iterator[Job]:
    for number, when, letter, user in _queue(host):
        if user != "root" or letter == "=":
            continue
        job = host.run(["at", "-c", number]).out
        moment, slot = _moment(when), _SLOT.search(job)
        for line in _commands(job):
            command = _COMMAND.fullmatch(line)
            if command and slot and moment:
                yield Job(number, moment, command[1], int(slot[1]))
                break


def renewers(host: Host, *, running: bool) -> tuple[Renewer, ...]:
    """The jobs of all users where root asks; none for others, whose own queue renews nothing.

    ``running`` is whether atd runs: without it nothing fires.
    """
    return tuple(_renewing(host, running))


def _renewing(host: Host, running: bool) -> Iterator[Renewer]:
    for number, when, _, _ in _queue(host)[:_MOST]:
        for line in _commands(host.run(["at", "-c", number]).out):
            if is_renewal(line):
                yield Renewer(
                    kind="at",
                    where=f"at job {number}",
                    command=line,
                    active=running,
                    vendor=False,
                    ours=is_ours(line),
                    next_run=_moment(when),
                )
                break


def _queue(host: Host) -> list[tuple[str, str, str, str]]:
    """Number, time in UTC, queue letter ("=": it runs) and user of each job that root may see."""
    if not host.is_root() or host.which("atq") is None:
        return []
    return _LISTED.findall(host.run(["atq"], env={"TZ": "UTC"}).out)


def _commands(job: str) -> Iterator[str]:
    """The job's own lines: at puts the whole environment and a ``cd`` that may fail before them."""
    _, _, rest = job.partition("Execution directory inaccessible")
    _, _, own = rest.partition("\n}\n")
    yield from (line.strip() for line in own.splitlines() if not line.lstrip().startswith("#"))


def _moment(text: str) -> datetime | None:
    try:
        # The names of day and month are English: programs run in the C locale, Python too.
        parsed = datetime.strptime(text, "%a %b %d %H:%M:%S %Y")
    except ValueError:
        return None
    return parsed.replace(tzinfo=timezone.utc)
