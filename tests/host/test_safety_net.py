"""What catches a run that goes wrong, on real servers: reloads, markers, mails, the log of runs."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.host import server
from tests.host.machine import Machine
from tests.host.schedules import CRON, LOG, PLAN, SCRIPT, TIMER, Schedule, quiet

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

PENDING = "/var/lib/certtui/pending-deploy"
SITE = f"/etc/nginx/sites-enabled/{server.DUE}"
RELOADS = "/var/tmp/reloads"

#: nginx.service as Debian has it, and a line in a file for each reload.
_COUNT = f"""\
[Service]
ExecReload=/bin/sh -c 'echo reload >>{RELOADS}'
"""

#: What certbot needs here to reach the ACME server, for those who start it without our script.
_TRUST = f"""\
[Service]
Environment=REQUESTS_CA_BUNDLE={server.TRUST}
"""

#: Found first on the script's PATH: what cron's runs wait is random, and proved elsewhere.
_NO_WAIT = "#!/bin/sh\nexit 0\n"


def plan(schedule: Schedule) -> str:
    """As an administrator writes it who leaves Debian's own timer on."""
    keep = '[certbot]\nother_schedulers = "keep"\n'
    return server.plan(schedule.backend).replace("[certbot.env]", f"{keep}[certbot.env]")


def start(host: Machine, schedule: Schedule) -> Machine:
    """A server with a plan applied, whose reloads are counted and that no timer disturbs."""
    host.boot()
    server.new_account(host)
    host.write("/etc/systemd/system/nginx.service.d/count.conf", _COUNT)
    host.write("/etc/systemd/system/certbot.service.d/trust.conf", _TRUST)
    host.write("/usr/local/sbin/sleep", _NO_WAIT, 0o755)
    host.run(["systemctl", "daemon-reload"])
    host.write(PLAN, plan(schedule))
    host.certtui("apply", PLAN, "--no-dry-run", check=True)
    return host


Hosts = dict[Schedule, Machine]


@pytest.fixture(scope="module")
def hosts(machine: Callable[..., Machine]) -> Iterator[Hosts]:
    """One for each thing that starts the renew script; tests leave them as they find them."""
    made = {schedule: machine(quiet(schedule)) for schedule in (TIMER, CRON)}
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(start, made.values(), made))
        yield made
    finally:
        for host in made.values():
            host.close()


def scheduled_run(host: Machine, schedule: Schedule) -> int:
    """A run as the schedule starts it; gives its exit status."""
    if schedule is TIMER:
        host.run(["systemctl", "start", "certtui-renew.service"], check=False)
        shown = ["systemctl", "show", "-P", "ExecMainStatus", "certtui-renew.service"]
        return int(host.run(shown).stdout)
    lines = host.read("/etc/cron.d/certtui-renew").splitlines()
    variables = dict(line.split("=", 1) for line in lines if re.match("[A-Z_]+=", line))
    # crontab(5): cron sets HOME and LOGNAME, takes quotes off values and gives SHELL the rest.
    words = [f"{name}={shlex.split(value)[0]}" for name, value in variables.items()]
    command = lines[-1].split(" ", 6)[6]
    argv = ["env", "-i", "HOME=/root", "LOGNAME=root", *words, variables["SHELL"], "-c", command]
    done = host.run(argv, check=False)
    assert (done.stdout, done.stderr) == ("", ""), "cron would mail this"
    return done.returncode


def served_new(host: Machine, before: dict[str, str], *names: str) -> None:
    """Waits until what is on the disk is served and differs from before."""

    def loaded() -> bool:
        return all(server.served(host, name) == server.on_disk(host, name) for name in names)

    host.wait_until(loaded, 10, "nginx to load it")
    assert not [name for name in names if server.on_disk(host, name) == before[name]]


def served(host: Machine) -> dict[str, str]:
    return {name: server.served(host, name) for name in server.NAMES}


def results(host: Machine) -> list[str]:
    """The results of all runs until now."""
    return [line.split(" ")[2] for line in host.read(LOG).splitlines()] if host.exists(LOG) else []


def subjects(host: Machine) -> list[str]:
    """Of all mails until now; waits for those that are still on their way."""
    host.wait_until(lambda: len(host.mails(server.ADMIN)) == server.mails_taken(host), 20, "mail")
    return [str(mail["Subject"]) for mail in host.mails(server.ADMIN)]


def syslog(host: Machine) -> list[str]:
    """What our scripts have said to the system's log since the boot."""
    host.run(["journalctl", "--sync"])
    return host.run(["journalctl", "-b", "-t", "certtui", "-o", "cat"]).stdout.splitlines()


@pytest.fixture
def quiet_server(hosts: Hosts) -> Iterator[Callable[[Schedule], Machine]]:
    """Gives a host with no failure and nothing due but :data:`server.DUE`, now and afterwards."""

    def settled(schedule: Schedule) -> Machine:
        host = hosts[schedule]
        host.write(RELOADS, "")
        return host

    yield settled
    for host in hosts.values():
        server.make_due(host, server.DUE)
        server.make_due(host, server.NAMES[0], due=False)


def broken(host: Machine) -> str:
    """Breaks nginx's configuration; gives what it was."""
    good = host.read(SITE)
    host.write(SITE, f"{good}an administrator was here;\n")
    assert host.run(["nginx", "-t"], check=False).returncode != 0
    return good


@pytest.mark.parametrize("schedule", [TIMER, CRON], ids=str)
def test_two_certificates_are_one_reload(
    quiet_server: Callable[[Schedule], Machine], schedule: Schedule, transcript: Keep
) -> None:
    host = quiet_server(schedule)
    server.make_due(host, server.NAMES[0])
    before, mails = served(host), server.mails_taken(host)
    assert scheduled_run(host, schedule) == 0
    served_new(host, before, *server.NAMES)
    transcript(host.run(["cat", RELOADS]), f"cat {RELOADS}  # two were due, by {schedule}")
    assert host.read(RELOADS) == "reload\n"
    assert results(host)[-1] == "ok"
    assert not host.exists(PENDING)
    assert server.mails_taken(host) == mails


@pytest.mark.parametrize("schedule", [TIMER, CRON], ids=str)
def test_a_deploy_that_fails_is_told_once_and_made_up_for(
    quiet_server: Callable[[Schedule], Machine], schedule: Schedule, transcript: Keep
) -> None:
    host = quiet_server(schedule)
    before, mails = served(host), len(subjects(host))
    good = broken(host)
    try:
        assert scheduled_run(host, schedule) == 1
        assert server.on_disk(host, server.DUE) != before[server.DUE]
        server.make_due(host, server.DUE, due=False)
        assert scheduled_run(host, schedule) == 1
        transcript(host.run(["cat", PENDING]), f"cat {PENDING}")
        assert host.read(PENDING) == f"/etc/letsencrypt/live/{server.DUE}\n"
        assert served(host) == before
        assert host.read(RELOADS) == ""
    finally:
        host.write(SITE, good)
    name = f"[certtui] web1.example.test: renewed but not loaded: {server.DUE}"
    assert subjects(host)[mails:] == [name]
    assert scheduled_run(host, schedule) == 0
    served_new(host, before, server.DUE)
    assert not host.exists(PENDING)
    assert host.read(RELOADS) == "reload\n"
    assert subjects(host)[mails:] == [name, "[certtui] web1.example.test: renewal works again"]
    assert results(host)[-3:] == ["deploy-failed", "deploy-failed", "ok"]
    transcript(host.run(["tail", "-n", "3", LOG]), f"tail -n 3 {LOG}  # by {schedule}")
    transcript(host.run(["tail", "-n", "50", f"/var/mail/{server.ADMIN}"]), "the two mails")


def test_debians_own_timer_renews_first_and_the_server_loads_it(
    quiet_server: Callable[[Schedule], Machine], transcript: Keep
) -> None:
    host = quiet_server(CRON)
    for question, answer in (("is-enabled", "enabled"), ("is-active", "active")):
        said = host.run(["systemctl", question, "certbot.timer"], check=False)
        transcript(said, f"systemctl {question} certbot.timer")
        assert said.stdout == f"{answer}\n"
    before, runs = served(host), results(host)
    transcript(host.run(["systemctl", "start", "certbot.service"]), "systemctl start certbot")
    served_new(host, before, server.DUE)
    assert host.read(RELOADS) == "reload\n"
    assert not host.exists(PENDING)
    assert results(host) == runs


def test_someone_elses_certbot_and_a_deploy_that_fails(
    quiet_server: Callable[[Schedule], Machine], transcript: Keep
) -> None:
    host = quiet_server(CRON)
    before, mails = served(host), len(subjects(host))
    good = broken(host)
    argv = ["certbot", "-q", "renew", "--no-random-sleep-on-renew"]
    try:
        done = host.run(argv, env={"REQUESTS_CA_BUNDLE": server.TRUST}, check=False)
    finally:
        host.write(SITE, good)
    transcript(done, " ".join(argv))
    # Seed defect 4: by this alone nobody would ever know.
    assert done.returncode == 0
    assert served(host) == before
    assert host.read(PENDING) == f"/etc/letsencrypt/live/{server.DUE}\n"
    assert subjects(host)[mails:] == [
        f"[certtui] web1.example.test: renewed but not loaded: {server.DUE}"
    ]
    server.make_due(host, server.DUE, due=False)
    assert scheduled_run(host, CRON) == 0
    served_new(host, before, server.DUE)
    assert len(subjects(host)) == mails + 2
    transcript(host.run(["tail", "-n", "1", LOG]), f"tail -n 1 {LOG}")


def test_a_failure_its_silence_and_the_recovery_arrive(
    quiet_server: Callable[[Schedule], Machine], transcript: Keep
) -> None:
    host = quiet_server(TIMER)
    mails = len(subjects(host))
    host.run(["systemctl", "stop", "pebble"])
    try:
        assert scheduled_run(host, TIMER) == 1
        failed = f"[certtui] web1.example.test: renewal failed: {server.DUE}"
        assert subjects(host)[mails:] == [failed]
        assert scheduled_run(host, TIMER) == 1
        assert subjects(host)[mails:] == [failed]
    finally:
        host.run(["systemctl", "start", "pebble"])
        server.new_account(host)
    assert scheduled_run(host, TIMER) == 0
    assert scheduled_run(host, TIMER) == 0
    assert subjects(host)[mails:] == [failed, "[certtui] web1.example.test: renewal works again"]
    assert results(host)[-4:] == ["failed", "failed", "ok", "ok"]
    transcript(host.run(["tail", "-n", "4", LOG]), f"tail -n 4 {LOG}")
    transcript(host.run(["cat", f"/var/mail/{server.ADMIN}"]), f"cat /var/mail/{server.ADMIN}")


@pytest.mark.parametrize("schedule", [TIMER, CRON], ids=str)
def test_each_run_is_a_line_in_syslog_and_the_log_is_trimmed(
    quiet_server: Callable[[Schedule], Machine], schedule: Schedule, transcript: Keep
) -> None:
    host = quiet_server(schedule)
    server.make_due(host, server.DUE, due=False)
    old = [f"2026-01-01T00:00:00Z {schedule} ok {number} " for number in range(1005)]
    host.write(LOG, "".join(f"{line}\n" for line in old), 0o600)
    before = len(syslog(host))
    assert scheduled_run(host, schedule) == 0
    lines = host.read(LOG).splitlines()
    assert lines[:-1] == old[6:]
    assert re.fullmatch(rf"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ {schedule} ok \d+ ", lines[-1])
    transcript(host.run(["wc", "-l", LOG]), f"wc -l {LOG}")
    said = syslog(host)[before:]
    transcript(
        subprocess.CompletedProcess([], 0, "\n".join(said) + "\n", ""), "journalctl -t certtui"
    )
    assert said == ["certbot-renew-everything: ok"]
    assert host.run(["stat", "-c", "%a %U", LOG]).stdout == "600 root\n"
    assert host.run(["stat", "-c", "%a", SCRIPT]).stdout == "700\n"
