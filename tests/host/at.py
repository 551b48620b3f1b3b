"""The queue of at on a test host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from tests.host.machine import Machine


@dataclass(frozen=True)
class Job:
    """A queued job; ``text`` is what at feeds to the shell."""

    number: str
    when: datetime  # UTC
    queue: str
    text: str


def queued(host: Machine) -> list[Job]:
    """Everything in root's queue, soonest first; a job that runs has left it (at(1), "=")."""
    listed = host.run(["atq"], env={"TZ": "UTC0"}).stdout
    jobs = []
    for number, when, queue in re.findall(r"^(\d+)\t(.{24}) (.) root$", listed, re.M):
        if queue != "=":
            moment = datetime.strptime(when, "%a %b %d %H:%M:%S %Y").replace(tzinfo=timezone.utc)
            jobs.append(Job(number, moment, queue, host.run(["at", "-c", number]).stdout))
    return sorted(jobs, key=lambda job: job.when)


def ours(host: Machine, script: str) -> list[Job]:
    """The jobs that start an at script: known by their variable and their one line."""
    line = f"\nexec {script} </dev/null\n"
    return [job for job in queued(host) if "\nCERTTUI_SLOT=" in job.text and line in job.text]
