"""What the simulation stands on: stand-ins and triggers behave as the real programs do."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from tests.render.simulation import STANDINS, utc
from tests.render.triggers import Cron, Timer, Zone

#: Debian's at 3.2.5 printed this for the job that the test below submits (``at -c``).
REAL = """#!/bin/sh
# atrun uid=0 gid=0
# mail root -1
umask 22
PATH=/usr/bin:/bin; export PATH
TZ=UTC0; export TZ
CERTTUI_SLOT=29727; export CERTTUI_SLOT
ODD=a\\ bc\\$\\"%-_+=:./,@\\^; export ODD
cd / || {
\t echo 'Execution directory inaccessible' >&2
\t exit 1
}
exec /usr/local/sbin/certbot-at-random </dev/null

"""


class Programs:
    """The stand-ins on a host in Berlin, at 2026-03-29 00:30:10 UTC."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.sim = folder / "bin", folder / "sim"
        shutil.copytree(STANDINS, self.bin)
        for name in ("spool", "numbers", "shown"):
            (self.sim / name).mkdir(parents=True)
        (self.sim / "zone").write_text("Europe/Berlin\n")
        (self.sim / "clock").write_text("1774744210\n")

    def run(self, name: str, *arguments: str, said: str = "", **environment: str) -> str:
        done = subprocess.run(
            [str(self.bin / name), *arguments],
            env={"PATH": "/usr/bin:/bin", **environment},
            input=said,
            cwd="/",
            capture_output=True,
            text=True,
        )
        return f"{done.stdout}{done.stderr}{done.returncode or ''}"


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


def test_a_job_reads_as_that_of_the_real_at(programs: Programs) -> None:
    said = programs.run(
        *("at", "-M", "-q", "c", "-t", "202603290215"),
        said="exec /usr/local/sbin/certbot-at-random </dev/null\n",
        TZ="UTC0",
        CERTTUI_SLOT="29727",
        ODD='a bc$"%-_+=:./,@^',
    )
    assert said.startswith("warning: commands will be executed using /bin/sh\njob 1 at ")
    job = programs.run("at", "-c", "1")
    # The order of the environment is each program's own.
    assert sorted(job.splitlines()) == sorted(REAL.splitlines())
    assert job.splitlines()[:4] == REAL.splitlines()[:4]
    assert job.splitlines()[-6:] == REAL.splitlines()[-6:]
    assert programs.run("at", "-c", "2") == "Cannot find jobid 2\n1"


def test_times_are_read_and_shown_in_the_zone_of_the_caller(programs: Programs) -> None:
    programs.run("at", "-t", "202603290215", said="true\n", TZ="UTC0")
    programs.run("at", "-q", "c", "-t", "202603290415", said="true\n")
    assert sorted(programs.run("atq").splitlines()) == [
        "1\tSun Mar 29 04:15:00 2026 a root",
        "2\tSun Mar 29 04:15:00 2026 c root",
    ]
    assert programs.run("atq") == programs.run("atq", TZ="Europe/Berlin")
    assert "1\tSun Mar 29 02:15:00 2026 a root\n" in programs.run("atq", TZ="UTC0")
    assert programs.run("atrm", "2", "9") == "Cannot find jobid 9\n1"
    assert programs.run("atq", TZ="UTC0") == "1\tSun Mar 29 02:15:00 2026 a root\n"


def test_at_takes_a_time_that_is_over_and_refuses_what_is_none(programs: Programs) -> None:
    assert programs.run("at", "-t", "202503290215", said="true\n", TZ="UTC0")[-1] == "\n"
    assert programs.run("at", "-t", "1", said="true\n", TZ="UTC0") == "Garbled time\n1"
    (programs.sim / "refusals").write_text("1\n")
    assert programs.run("at", "-t", "202703290215", said="true\n")[-1] == "1"
    assert len(programs.run("atq").splitlines()) == 1


def test_date_knows_the_simulated_time(programs: Programs) -> None:
    assert programs.run("date", "+%s") == "1774744210\n"
    assert programs.run("date", "+%H:%M %z") == "01:30 +0100\n"
    assert programs.run("date", "-u", "+%H:%M") == "00:30\n"
    assert programs.run("date", "-d", "@1774747810", "+%H:%M %z") == "03:30 +0200\n"
    assert "knows no" in programs.run("date", "-d", "tomorrow")


def minute(when: str) -> int:
    return int(datetime.fromisoformat(when).timestamp()) // 60


def cron_starts(line: str, begin: str, end: str) -> list[str]:
    """When cron in Berlin starts something, as UTC."""
    cron = Cron(f"{line} root /x\n", Zone("Europe/Berlin"))
    cron.boot(minute(begin))
    return [
        utc(at).strftime("%H:%M")
        for at in range(minute(begin) + 1, minute(end))
        for _ in cron.tick(at)
    ]


def test_cron_makes_up_for_a_left_out_hour_and_does_not_repeat_one() -> None:
    """As cron(8) says of Debian's: of jobs at a fixed time only."""
    spring = ("2026-03-28T23:00+00:00", "2026-03-29T04:00+00:00")
    autumn = ("2026-10-24T23:00+00:00", "2026-10-25T04:00+00:00")
    assert cron_starts("30 2 * * *", *spring) == ["01:00"]
    assert cron_starts("30 3 * * *", *spring) == ["01:30"]
    assert cron_starts("30 * * * *", *spring) == ["23:30", "00:30", "01:30", "02:30", "03:30"]
    assert cron_starts("30 2 * * *", *autumn) == ["00:30"]
    assert cron_starts("30 3 * * *", *autumn) == ["02:30"]
    assert cron_starts("30 * * * *", *autumn) == ["23:30", "00:30", "01:30", "02:30", "03:30"]


def test_cron_after_a_clock_that_was_set() -> None:
    cron = Cron("30 2 * * * root /x\n0 * * * * root /y\n", Zone("UTC"))
    begin = minute("2026-06-01T02:20+00:00")
    cron.boot(begin)
    assert [start.argv[-1] for start in cron.tick(begin + 60)] == ["/x"]  # an hour ahead
    assert cron.tick(begin + 10) == []  # back: not again
    assert [start.argv[-1] for start in cron.tick(begin + 40)] == ["/y"]
    assert cron.tick(begin + 1440 * 30) == []  # a month ahead: nothing is made up for
    assert [start.argv[-1] for start in cron.tick(begin + 1440 * 30 + 10)] == ["/x"]


def test_a_timer_makes_up_for_what_it_missed_once_and_starts_at_boot() -> None:
    timer = Timer(
        "OnCalendar=*-*-* *:10:05 UTC\nOnBootSec=1min\nPersistent=true\n", "ExecStart=/x\n"
    )
    begin = minute("2026-06-01T02:20+00:00")
    timer.boot(begin)

    def starts(first: int, last: int) -> list[tuple[int, str]]:
        return [(at, s.by) for at in range(first, last) for s in timer.tick(begin + at)]

    assert starts(1, 180) == [(1, "boot"), (50, "anchor"), (110, "anchor"), (170, "anchor")]
    timer.boot(begin + 600)  # off for seven hours
    assert starts(601, 660) == [(601, "anchor"), (650, "anchor")]
    assert starts(600, 660) == [(650, "anchor")]  # the clock was set back by an hour
