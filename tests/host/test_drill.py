"""The fire drill on booted hosts: a real scheduler, MTA and mailbox, and nothing left."""

from __future__ import annotations

import re
import time

import pytest

from tests.host import server
from tests.host.drills import HOME, Keep, Machines, drill, lines, ready, state
from tests.host.machine import Machine
from tests.host.schedules import CRON, LOG, SCHEDULES, Schedule, applied, quiet
from tests.host.web import NGINX

WAITS = True


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
    well = host.certtui("doctor")
    transcript(well, "certtui doctor")
    assert well.returncode == 0


@pytest.mark.parametrize("schedule", [CRON, Schedule("at-block", "cron")], ids=str)
def test_a_host_without_systemd(machine: Machines, schedule: Schedule, transcript: Keep) -> None:
    host: Machine = machine(quiet(schedule))
    try:
        host.boot_without_systemd()
        server.start_by_hand(host, NGINX)
        server.new_account(host)
        applied(host, schedule)
        before = host.listing()
        for options in ((), ("--deploy",)):
            done = drill(host, transcript, *options)
            assert done.returncode == 0, done.stdout + done.stderr
        assert host.listing() == before
        assert [line[2] for line in lines(host)] == ["drill"]
        assert len(host.mails(server.ADMIN)) == 1
    finally:
        host.close()
