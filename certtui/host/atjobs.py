"""Queued at jobs that renew certificates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from certtui.host.facts import Renewer
from certtui.host.interface import Completed, Host
from certtui.host.renewers import is_ours, is_renewal

#: Jobs that are opened; each costs a start of at.
_MOST = 100

#: at(1), -l: "7<TAB>Tue Nov 24 22:58:00 2026 c root", in the zone of the one who asks.
_LISTED = re.compile(r"^(\d+)\t(.{24}) (\S) (.+)$", re.MULTILINE)

#: What marks a job of ours in ``at -c``: the slot in its environment and its only command.
_SLOT = re.compile(r"^CERTTUI_SLOT=(\d+);", re.MULTILINE)
#: A variable that at stored with a job: "NAME=value; export NAME".
_STORED = re.compile(r"; export ([A-Za-z_]\w*)$", re.MULTILINE)
_COMMAND = re.compile(r"exec (/\S*/certbot-at-(?:block|random)) </dev/null")


@dataclass(frozen=True)
class Job:
    """A job that one of our at scripts queued for itself. ``when`` is UTC, a whole minute.

    ``slot`` is the minute since 1970, by the clock of the script's slots, that it is for;
    ``variables`` are the names of those that are stored with it.
    """

    number: str
    when: datetime
    script: str
    slot: int
    variables: tuple[str, ...] = ()


def asked(host: Host) -> Completed:
    """What ``atq`` answers, its times in UTC."""
    return host.run(["atq"], env={"TZ": "UTC"})


def ours(host: Host, listed: str | None = None) -> tuple[Job, ...]:
    """The jobs of our at scripts that wait in root's queue, in the order of ``atq``.

    ``listed`` is what :func:`asked` answered, where that was asked before.

    A job that runs ("=" in place of its queue's letter) is over for the queue and left out. Nothing
    where there is no at, or where the caller is not root: other users' queues are not theirs.
    """
    return tuple(_our_jobs(host, _queue(host) if listed is None else _LISTED.findall(listed)))


def letters(listed: str) -> tuple[tuple[str, str, str], ...]:
    """Number, queue letter ("=": it runs) and user of each job that ``atq`` listed."""
    return tuple((number, letter, user) for number, _, letter, user in _LISTED.findall(listed))


def _our_jobs(host: Host, queue: Iterable[tuple[str, str, str, str]]) -> Iterator[Job]:
    for number, when, letter, user in queue:
        if user != "root" or letter == "=":
            continue
        job = host.run(["at", "-c", number]).out
        moment, slot = _moment(when), _SLOT.search(job)
        for line in _commands(job):
            command = _COMMAND.fullmatch(line)
            if command and slot and moment:
                stored = tuple(_STORED.findall(job.partition("\ncd ")[0]))
                yield Job(number, moment, command[1], int(slot[1]), stored)
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
    return _LISTED.findall(asked(host).out)


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
