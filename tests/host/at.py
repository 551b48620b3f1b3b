"""The queue of at on a test host."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone

from tests.host.folders import HostError
from tests.host.machine import Machine
from tests.host.schedules import Schedule


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


def anchor(host: Machine, schedule: Schedule) -> subprocess.CompletedProcess[str]:
    """Starts the script as its anchor does: the timer's service, or the line in cron's file."""
    if not schedule.uses_cron:
        done = host.run(["systemctl", "start", "certtui-renew.service"], check=False, timeout=300)
        if done.returncode:
            said = host.run(["journalctl", "-b", "--no-pager", "-u", "certtui-renew.service"])
            raise HostError(f"{done.stderr}{said.stdout[-2000:]}")
        return done
    variables, command = _cron_line(host.read(schedule.files[0]))
    words = [f"{name}={value}" for name, value in variables.items()]
    # crontab(5): HOME, LOGNAME, SHELL and what the file sets; /bin/sh -c in the home folder.
    home = ["env", "-i", "-C", "/root", "HOME=/root", "LOGNAME=root", "SHELL=/bin/sh"]
    return host.run([*home, *words, "/bin/sh", "-c", command], timeout=300)


def _cron_line(text: str) -> tuple[dict[str, str], str]:
    """The variables of a file in /etc/cron.d and the command of its one or first timed line."""
    variables = {}
    for line in text.splitlines():
        if found := re.match(r"([A-Z_]+)=(.*)", line):
            variables[found[1]] = found[2].strip('"')
        elif found := re.match(r"\d+ \S+ \* \* \* root (.*)", line):
            return variables, found[1]
    raise ValueError(f"no timed line in:\n{text}")
