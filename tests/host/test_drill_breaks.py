"""A drill that breaks says where, and one that cannot prove anything does not begin."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.host import server
from tests.host.drills import HOME, Keep, Machines, drill, lines, ready, state
from tests.host.machine import Machine
from tests.host.schedules import CRON, LOG, TIMER, Schedule, applied, quiet

WAITS = True

AT = Schedule("at-block", "systemd")

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


def loses_one_of_two(host: Machine) -> None:
    aliases = f"root: {server.ADMIN}\n{server.ADMIN}: {server.ADMIN}, nosuchuser\n"
    host.write("/etc/aliases", aliases)


BREAKS: dict[str, tuple[Callable[[Machine], None], Schedule, str, str]] = {
    "refuses": (refuses, TIMER, "taken by the mailer", "cannot reach the relay"),
    "hangs": (hangs, TIMER, "taken by the mailer", "sendmail failed"),
    "swallows": (swallows, TIMER, "taken by the mailer", "no log tells of the mail"),
    "gone": (is_gone, AT, "taken by the mailer", "neither sendmail nor mail was found"),
    "defers": (defers, TIMER, "delivered", "could not deliver it yet"),
    "one-of-two": (loses_one_of_two, TIMER, "delivered", "could not deliver it to nosuchuser"),
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
    assert "Result=exit-code, status 203" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("not proved: ")
    assert state(host) == before
    assert lines(host) == []


def test_a_job_that_nothing_queues_is_told(new_host: Machines, transcript: Keep) -> None:
    host = ready(new_host, AT)
    host.run(["systemctl", "disable", "--now", "certtui-renew.timer"])
    host.run(["sh", "-c", "atq -q c | cut -f1 | xargs atrm"])
    before = state(host)
    done = drill(host, transcript)
    assert done.returncode == 1
    assert "ok   delivered" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith('not proved: it broke at "scheduled": ')
    assert "; mend: " in last
    assert state(host) == before


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
    # Refused by cron, too (cron.insecure-mode).
    host.run(["chmod", "g+w", "/etc/cron.d/certtui-renew"])
    refused(1, "chmod 0644 /etc/cron.d/certtui-renew")
    host.run(["chmod", "g-w", "/etc/cron.d/certtui-renew"])
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
