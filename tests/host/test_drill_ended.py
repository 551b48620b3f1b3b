"""A drill beside real runs, and one that is ended or killed: nothing is lost, nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest

from tests.host import at, server
from tests.host.drills import TRACE, Keep, Machines, drill, lines, ready, start, state
from tests.host.machine import Machine
from tests.host.schedules import CRON, LOG, TIMER, Schedule, applied, quiet

WAITS = True

DRILLED = (CRON, TIMER, Schedule("at-block", "systemd"))


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
    elif schedule is CRON:
        host.wait_until(lambda: host.exists("/etc/cron.d/certtui-drill"), 20, "cron's file")
    else:
        host.wait_until(lambda: len(at.queued(host)) == 2, 20, "the job")
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


SLOW = "#!/bin/sh\nexec sleep 50\n"


def test_a_real_run_after_a_killed_drill_goes_on(new_host: Machines, transcript: Keep) -> None:
    """What a killed drill left is cleaned up while the next run of the service is at work."""
    host = ready(new_host, TIMER)
    host.write("/usr/local/sbin/sendmail", SLOW, 0o755)
    begun = start(host)
    host.wait_until(lambda: host.processes("sleep 50"), 10, "the mailer")
    assert end(host, begun, signal.SIGKILL) == 137
    begun.communicate()
    host.run(["systemctl", "kill", "-s", "KILL", "certtui-renew.service"])
    host.wait_until(lambda: not host.processes("sleep 50"), 10, "its end")
    assert host.exists(TRACE)
    drop_in = "[Service]\nExecStartPre=/bin/sleep 8\n"
    host.write("/etc/systemd/system/certtui-renew.service.d/slow.conf", drop_in)
    host.run(["systemctl", "daemon-reload"])
    host.run(["systemctl", "start", "--no-block", "certtui-renew.service"])
    done = host.certtui("status")
    transcript(done, "certtui status  # a real run is at work")
    assert "cleaned up after a fire drill" in done.stderr
    assert not host.exists(TRACE)
    host.wait_until(lambda: lines(host), 60, "the real run")
    assert [line[1:3] for line in lines(host)] == [["systemd-timer", "ok"]]


def test_ctrl_c_twice_on_a_terminal(new_host: Machines) -> None:
    """Each goes to every process of the foreground group, also to what cleans up."""
    host = ready(new_host, TIMER)
    host.write("/usr/local/sbin/sendmail", SLOW, 0o755)
    before = state(host)
    for pause in (0.1, 0.4, 1.0):
        argv = [*host.enter(), "env", "-i", "PATH=/opt/certtui/bin:/usr/sbin:/usr/bin"]
        begun = subprocess.Popen(
            [*argv, "certtui", "drill"], stdout=subprocess.DEVNULL, start_new_session=True
        )
        host.wait_until(lambda: host.processes("sleep 50"), 20, "the mailer")
        for _ in range(3):
            os.killpg(begun.pid, signal.SIGINT)
            time.sleep(pause)
        begun.wait(30)
        host.wait_until(lambda: not host.processes("-m certtui drill"), 30, "its end")
        assert state(host) == before
        assert not host.processes("sleep 50")


@pytest.mark.parametrize("schedule", DRILLED, ids=str)
def test_the_script_of_an_ended_drill_ends(
    new_host: Machines, schedule: Schedule, transcript: Keep
) -> None:
    """Also where its mailer is deaf to TERM."""
    host = ready(new_host, schedule)
    for mailer in (SLOW, "#!/bin/sh\ntrap '' TERM\nexec sleep 50\n"):
        host.write("/usr/local/sbin/sendmail", mailer, 0o755)
        before = state(host)
        begun = start(host)
        host.wait_until(lambda: host.processes("sleep 50"), 130, "the mailer")
        assert end(host, begun, signal.SIGINT) == 130
        transcript(subprocess.CompletedProcess([], 130, begun.communicate()[0], ""), mailer)
        assert not host.processes("sleep 50")
        assert not host.processes("certbot-renew-everything")
        assert state(host) == before


def test_a_start_that_comes_too_late_does_nothing(new_host: Machines, transcript: Keep) -> None:
    host = ready(new_host, TIMER)
    drop_in = "[Service]\nExecStartPre=/bin/sleep 23\n"
    host.write("/etc/systemd/system/certtui-renew.service.d/slow.conf", drop_in)
    host.run(["systemctl", "daemon-reload"])
    before = state(host)
    done = drill(host, transcript)
    assert done.returncode == 1
    assert "systemd has not started the renew script" in done.stdout
    assert state(host) == before
    time.sleep(8)
    assert lines(host) == []
