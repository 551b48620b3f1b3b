"""The fire drill on booted hosts: a real scheduler, MTA and mailbox, and nothing left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.host import at, server
from tests.host.machine import Machine
from tests.host.schedules import CRON, LOG, SCHEDULES, TIMER, Schedule, applied, quiet

Machines = Callable[..., Machine]
Keep = Callable[[subprocess.CompletedProcess[str], str], None]

WAITS = True

HOME = "/var/lib/certtui"
TRACE = f"{HOME}/drill-at-work"
#: What a drill may leave there.
_KEPT = ("last-mail", "runs.log")
#: Seconds a drill may take.
LONGEST = 150
AT = Schedule("at-block", "systemd")
DRILLED = (CRON, TIMER, AT)


def state(host: Machine) -> dict[str, Any]:
    """Everything that a drill could have changed, but for the log, the note and the mailbox."""
    names = host.run(["ls", "-A", HOME]).stdout.split()
    units = ("certtui-renew.service", "certtui-renew.timer")
    shown = host.run(["systemctl", "show", "-p", "ActiveState,UnitFileState", *units])
    listing = host.listing()
    # crontab(1) of Debian writes into its first lines when it was called.
    listing.pop("/var/spool/cron/crontabs/root", None)
    return {
        **listing,
        "state": [name for name in names if name not in _KEPT],
        "atq": host.run(["atq"]).stdout,
        "crontab": host.run(["crontab", "-l"], check=False).stdout,
        "units": shown.stdout,
        "failed": host.run(["systemctl", "--failed", "--no-legend", "--plain"]).stdout,
        "mail-state": host.exists(f"{HOME}/mail-state"),
        "pending": host.exists(f"{HOME}/pending-deploy"),
    }


def drill(host: Machine, keep: Keep, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs one, kept with the time it took."""
    began = time.monotonic()
    done = host.certtui("drill", *options)
    seconds = time.monotonic() - began
    keep(done, f"certtui drill {' '.join(options)} # {seconds:.1f} s")
    assert seconds < LONGEST
    return done


def lines(host: Machine) -> list[list[str]]:
    """The words of each line of the log of runs."""
    return [line.split() for line in host.read(LOG).splitlines()] if host.exists(LOG) else []


def start(host: Machine) -> subprocess.Popen[str]:
    """A drill in the background, once it is under way."""
    argv = [*host.enter(), "env", "-i", "PATH=/opt/certtui/bin:/usr/sbin:/usr/bin", "certtui"]
    begun = subprocess.Popen(
        [*argv, "drill"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    host.wait_until(lambda: host.exists(TRACE), 20, "the drill")
    return begun


def ready(new_host: Machines, schedule: Schedule, **answers: str) -> Machine:
    """A host on which it is applied, and for an hour nothing else happens."""
    return applied(new_host(quiet(schedule)), schedule, **answers)


def test_roots_crontab_where_there_is_no_folder_for_cron(
    new_host: Machines, transcript: Keep
) -> None:
    host = new_host(quiet(CRON))
    host.run(["rm", "-r", "/etc/cron.d"])
    host.run(["sh", "-c", "printf 'A=b\\n5 4 1 1 * true\\n' | crontab -"])
    applied(host, CRON)
    before = state(host)
    assert "CERTTUI_TRIGGER=cron" in before["crontab"]
    done = drill(host, transcript)
    assert done.returncode == 0, done.stdout + done.stderr
    time.sleep(61)
    assert state(host) == before
    assert [line[1:3] for line in lines(host)] == [["cron", "drill"]]
    assert len(host.mails(server.ADMIN)) == 1


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_one_mail_reaches_the_mailbox_and_nothing_is_left(
    new_host: Machines, schedule: Schedule, transcript: Keep
) -> None:
    host = ready(new_host, schedule)
    before = state(host)
    done = drill(host, transcript)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("proved: ")
    assert f"it is in /var/mail/{server.ADMIN}" in done.stdout
    assert re.search(r"ok   taken by the mailer: exim, queue id \w{6}-\w+-\w+$", done.stdout, re.M)
    host.wait_until(lambda: server.mails_taken(host), 5, "the mail")
    assert server.mails_taken(host) == 1
    (mail,) = host.mails(server.ADMIN)
    transcript(host.run(["cat", f"/var/mail/{server.ADMIN}"]), f"cat /var/mail/{server.ADMIN}")
    assert "fire drill" in mail["Subject"]
    transcript(host.run(["cat", LOG, f"{HOME}/last-mail"]), f"cat {LOG} {HOME}/last-mail")
    ((_, trigger, result, _, number, *words),) = lines(host)
    by = "at" if schedule.uses_at else schedule.backend
    assert (trigger, result, words) == (by, "drill", ["mail", "accepted"])
    assert mail["Message-ID"] == f"<certtui-drill-{number}@web1.example.test>"
    # cron looks at its files once more: what is gone must not run again.
    if schedule is CRON:
        time.sleep(61)
    assert state(host) == before
    assert len(lines(host)) == server.mails_taken(host) == 1


# ---- where it breaks ------------------------------------------------------------------------

_REFUSES = """\
#!/bin/sh
echo 'cannot reach the relay' >&2
exit 75
"""
_SWALLOWS = """\
#!/bin/sh
cat >/dev/null
"""


def refuses(host: Machine) -> None:
    host.write("/usr/local/sbin/sendmail", _REFUSES, 0o755)


def swallows(host: Machine) -> None:
    host.write("/usr/local/sbin/sendmail", _SWALLOWS, 0o755)


def hangs(host: Machine) -> None:
    host.write("/usr/local/sbin/sendmail", "#!/bin/sh\nexec sleep 300\n", 0o755)


def is_gone(host: Machine) -> None:
    for name in ("/usr/sbin/sendmail", "/usr/bin/mail", "/usr/bin/mailx"):
        if host.exists(name):
            (host.root / name.lstrip("/")).unlink()


def defers(host: Machine) -> None:
    """exim delivers into no mailbox of another user's (its specification, appendfile)."""
    host.run(["install", "-o", "daemon", "-m", "600", "/dev/null", f"/var/mail/{server.ADMIN}"])


def bounces(host: Machine) -> None:
    host.run(["userdel", server.ADMIN])


BREAKS: dict[str, tuple[Callable[[Machine], None], Schedule, str, str]] = {
    "refuses": (refuses, TIMER, "taken by the mailer", "cannot reach the relay"),
    "hangs": (hangs, TIMER, "taken by the mailer", "sendmail failed"),
    "swallows": (swallows, TIMER, "taken by the mailer", "no log tells of the mail"),
    "gone": (is_gone, AT, "taken by the mailer", "neither sendmail nor mail was found"),
    "defers": (defers, TIMER, "delivered", "could not deliver it yet"),
    "bounces": (bounces, CRON, "delivered", "could not deliver it"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_mailer_that_is_broken_is_told_from_one_that_works(
    new_host: Machines, name: str, transcript: Keep
) -> None:
    breaks, schedule, where, why = BREAKS[name]
    host = ready(new_host, schedule)
    breaks(host)
    before = state(host)
    done = drill(host, transcript)
    assert done.returncode == 1, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f'not proved: it broke at "{where}": ')
    assert why in last
    assert "; mend: " in last
    transcript(host.run(["cat", LOG, f"{HOME}/last-mail"]), f"cat {LOG} {HOME}/last-mail")
    assert [line[2] for line in lines(host)] == ["drill"]
    assert state(host) == before


def test_what_does_not_start_is_told(new_host: Machines, transcript: Keep) -> None:
    host = ready(new_host, TIMER)
    drop_in = "/etc/systemd/system/certtui-renew.service.d/x.conf"
    host.write(drop_in, "[Service]\nExecStart=\nExecStart=/nowhere\n")
    host.run(["systemctl", "daemon-reload"])
    before = state(host)
    done = drill(host, transcript)
    assert done.returncode == 1
    assert "Result=exit-code, status 203" in done.stdout.splitlines()[-1]
    assert state(host) == before
    assert lines(host) == []


def test_it_begins_only_where_it_can(new_host: Machines, transcript: Keep) -> None:
    host = new_host(quiet(CRON))

    def refused(code: int, words: str) -> None:
        done = drill(host, transcript)
        assert (done.returncode, done.stdout) == (code, "")
        assert words in done.stderr

    refused(66, "nothing was applied yet")
    applied(host, CRON)
    before = state(host)
    done = host.run(["runuser", "-u", server.ADMIN, "--", "certtui", "drill"], check=False)
    transcript(done, f"certtui drill  # as {server.ADMIN}")
    assert done.returncode == 77
    host.run(["systemctl", "stop", "cron"])
    refused(1, "systemctl enable --now cron.service")
    host.run(["systemctl", "start", "cron"])
    script = "/usr/local/sbin/certbot-renew-everything"
    text = host.read(script)
    host.write(script, text + "# edited\n", 0o700)
    refused(1, "certtui apply")
    host.write(script, text, 0o700)
    lock = ["flock", f"{HOME}/lock", "sleep", "60"]
    host.run(["systemd-run", "--collect", "--unit=holder", *lock])
    host.wait_until(lambda: drill(host, transcript).returncode == 75, 10, "the lock")
    host.run(["systemctl", "stop", "holder"])
    # A real run at work, in its random wait.
    run = ["systemd-run", "--collect", "--unit=run", "--setenv=CERTTUI_TRIGGER=cron", script]
    host.run(run)
    refused(75, "a renewal is at work")
    host.run(["systemctl", "stop", "run"])
    assert {**state(host), "state": before["state"]} == before


def test_where_no_mail_is_planned_the_run_is_proved(new_host: Machines, transcript: Keep) -> None:
    host = ready(new_host, TIMER, mail="")
    done = drill(host, transcript, "--json")
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert said["ok"] is True
    assert "nobody is told" in said["summary"]
    assert server.mails_taken(host) == 0


# ---- beside a real run ----------------------------------------------------------------------


def test_a_real_run_in_the_same_minute_renews(new_host: Machines, transcript: Keep) -> None:
    host = new_host(quiet(CRON))
    before = server.on_disk(host, server.DUE)
    while time.time() % 60 > 40:
        time.sleep(1)
    minute = datetime.fromtimestamp(time.time() // 60 * 60 + 60, timezone.utc)
    applied(host, "cron", times=(minute.strftime("%H:%M"),))  # the host's zone is UTC
    done = drill(host, transcript)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"cron starts it at {minute:%H:%M}:00" in done.stdout
    host.wait_until(lambda: len(lines(host)) == 2, 90, "the real run")
    transcript(host.run(["cat", LOG]), f"cat {LOG}")
    assert [line[1:3] for line in lines(host)] == [["cron", "drill"], ["cron", "ok"]]
    assert server.on_disk(host, server.DUE) != before
    assert server.mails_taken(host) == 1


def test_a_timer_that_is_about_to_fire_is_waited_for(new_host: Machines, transcript: Keep) -> None:
    host = new_host(quiet(TIMER))
    soon = datetime.now(timezone.utc) + timedelta(seconds=75)
    applied(host, "systemd-timer", times=(soon.strftime("%H:%M"),))
    done = drill(host, transcript)
    assert done.returncode == 75
    assert "certtui-renew.timer fires in" in done.stderr
    assert lines(host) == []


def test_a_run_for_which_the_timer_fires_meanwhile_is_made_up_for(
    new_host: Machines, transcript: Keep
) -> None:
    """systemd merges a start with the one that is under way (systemd.service(5), oneshot)."""
    host = ready(new_host, TIMER)
    host.write("/usr/local/sbin/sendmail", "#!/bin/sh\nsleep 30; exit 1\n", 0o755)
    begun = start(host)
    host.wait_until(lambda: host.processes("sleep 30"), 10, "the mailer")
    soon = datetime.now(timezone.utc) + timedelta(seconds=15)
    drop_in = f"[Timer]\nRandomizedDelaySec=0\nOnCalendar={soon:%Y-%m-%d %H:%M:%S} UTC\n"
    host.write("/etc/systemd/system/certtui-renew.timer.d/x.conf", drop_in)
    host.run(["systemctl", "daemon-reload"])
    code = begun.wait(90)
    said = subprocess.CompletedProcess([], code, begun.communicate()[0], "")
    transcript(said, "certtui drill  # its timer fires meanwhile")
    host.wait_until(lambda: len(lines(host)) == 2, 60, "the real run")
    transcript(host.run(["cat", LOG]), f"cat {LOG}")
    assert [line[2] for line in lines(host)] == ["drill", "ok"]


# ---- interrupted ----------------------------------------------------------------------------


def end(host: Machine, begun: subprocess.Popen[str], number: signal.Signals) -> int:
    """Ends it with a signal; gives its exit code as a shell would see it."""
    (process,) = host.processes("-m certtui drill")
    os.kill(process, number)
    code = begun.wait(30)
    return 128 - code if code < 0 else code


@pytest.mark.parametrize("schedule", DRILLED, ids=str)
def test_a_drill_that_is_ended_leaves_nothing(
    new_host: Machines, schedule: Schedule, transcript: Keep
) -> None:
    host = ready(new_host, schedule)
    # A mailer that takes its time: so the timer's drill is at work, too.
    host.write("/usr/local/sbin/sendmail", "#!/bin/sh\nexec sleep 50\n", 0o755)
    before = state(host)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        begun = start(host)
        if schedule is TIMER:
            host.wait_until(lambda: host.processes("sleep 50"), 10, "the mailer")
        assert end(host, begun, number) == 128 + number
        said = subprocess.CompletedProcess([], 128 + number, begun.communicate()[0], "")
        transcript(said, f"certtui drill  # {number.name}")
        assert state(host) == before
        assert not host.processes("sleep 50")
        assert all(line[2] == "drill" for line in lines(host))


@pytest.mark.parametrize("schedule", DRILLED, ids=str)
def test_what_a_killed_drill_leaves_neither_renews_nor_stays(
    new_host: Machines, schedule: Schedule, transcript: Keep
) -> None:
    host = ready(new_host, schedule)
    before = state(host)
    begun = start(host)
    if schedule is TIMER:
        host.wait_until(lambda: lines(host), 20, "the drill")
    assert end(host, begun, signal.SIGKILL) == 137
    begun.communicate()
    assert host.exists(TRACE)
    if schedule is not TIMER:
        # It is still started, drills, and does nothing else, then or later.
        host.wait_until(lambda: lines(host), 90, "the drill")
    if schedule is CRON:
        time.sleep(61)
    assert [line[2] for line in lines(host)] == ["drill"]
    done = host.certtui("status")
    transcript(done, "certtui status  # after kill -9")
    assert "cleaned up after a fire drill" in done.stderr
    assert state(host) == before
    assert host.certtui("status").stderr == ""
    assert [job.queue for job in at.queued(host)] == ["c"] * schedule.uses_at
