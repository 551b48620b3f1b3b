"""Queued at jobs that renew certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone

from certtui.host.facts import Renewer
from certtui.host.interface import Host
from certtui.host.renewers import is_ours, is_renewal

#: Jobs that are opened; each costs a start of at.
_MOST = 100


def renewers(host: Host, *, running: bool) -> tuple[Renewer, ...]:
    """The jobs of all users where root asks; none for others, whose own queue renews nothing.

    ``running`` is whether atd runs: without it nothing fires.
    """
    if not host.is_root() or host.which("atq") is None:
        return ()
    return tuple(_renewing(host, running))


def _renewing(host: Host, running: bool) -> Iterator[Renewer]:
    # at(1), -l: "7<TAB>Tue Nov 24 22:58:00 2026 c root", in the zone of the one who asks.
    queue = host.run(["atq"], env={"TZ": "UTC"}).out
    for number, when in re.findall(r"^(\d+)\t(.{24})", queue, re.MULTILINE)[:_MOST]:
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
