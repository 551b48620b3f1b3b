"""The numbers of ``tests/test_defects.py`` that a booted host can show.

Where another test on real hosts shows all of it, :data:`ELSEWHERE` names it.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host import server
from tests.host.machine import Machine
from tests.host.schedules import HOOKS, LOG, PLAN, SCRIPT, TIMER, applied, quiet

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

#: number -> file and function; "" where a host can show no more than ``tests/test_defects*.py``
ELSEWHERE = {
    1: "test_at_fires.py::test_the_due_certificate_is_renewed_and_served",
    2: "test_at_fires.py::test_the_due_certificate_is_renewed_and_served",
    3: "test_at_fires.py::test_the_due_certificate_is_renewed_and_served",
    4: "test_safety_net.py::test_someone_elses_certbot_and_a_deploy_that_fails",
    6: "test_fires.py::test_nothing_due_sends_no_mail",
    9: "test_fires.py::test_it_is_still_scheduled_after_a_reboot",
    11: "test_safety_net.py::test_debians_own_timer_renews_first_and_the_server_loads_it",
    12: "test_matrix.py::test_cell",
    13: "test_servers.py::test_a_run_makes_the_server_load_the_certificate",
    16: "test_at_chain.py::test_the_chain_is_alive_after_a_reboot",
    17: "",  # the clock of a host is not to be set
    18: "test_at_chain.py::test_racing_starts_leave_one_job",
    19: "test_matrix.py::test_cell",
    20: "test_at_fires.py::test_the_due_certificate_is_renewed_and_served",
    21: "test_at_fires.py::test_the_anchor_runs_a_slot_that_atd_missed_once",
    22: "",  # no script names openssl
    25: "",  # no script chooses a process by its name
}

POST_HOOK = HOOKS[1]
PENDING = "/var/lib/certtui/pending-deploy"

#: Connects again and again until a file is there; prints how often, and how often in vain.
_PROBE = """\
import json, os, socket, time
done, refused = 0, 0
while not os.path.exists("/var/tmp/enough"):
    try:
        socket.create_connection(("127.0.0.1", 443), 2).close()
        done += 1
    except OSError:
        refused += 1
    time.sleep(0.002)
print(json.dumps([done, refused]))
"""


@pytest.fixture(scope="module")
def host(machine: Callable[..., Machine]) -> Iterator[Machine]:
    """A server with a plan applied, whose timer does not fire meanwhile."""
    made = machine(quiet(TIMER))
    try:
        made.boot()
        server.new_account(made)
        yield applied(made, TIMER)
    finally:
        made.close()


def run_service(host: Machine) -> int:
    """A run as the timer starts it; gives the exit status that systemd saw."""
    host.run(["systemctl", "start", "certtui-renew.service"], check=False)
    shown = ["systemctl", "show", "-P", "ExecMainStatus", "certtui-renew.service"]
    return int(host.run(shown).stdout)


def last_run(host: Machine) -> str:
    """The result of the last run."""
    return host.read(LOG).splitlines()[-1].split(" ")[2]


def test_every_number_has_its_test() -> None:
    here = [
        int(found[1]) for name in globals() if (found := re.match(r"test_defect_(\d\d)_", name))
    ]
    assert sorted({*here, *ELSEWHERE}) == list(range(1, 28))
    for where in filter(None, ELSEWHERE.values()):
        name, _, function = where.partition("::")
        tree = ast.parse((Path(__file__).parent / name).read_text("utf-8"))
        assert function in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_defect_05_a_bare_path_does_not_keep_the_server_from_loading(
    host: Machine, transcript: Keep
) -> None:
    argv = ["certbot", "-q", "renew", "--no-random-sleep-on-renew"]
    bare = {"REQUESTS_CA_BUNDLE": server.TRUST, "PATH": "/usr/bin:/bin"}
    before = server.served(host, server.DUE)
    done = host.run(argv, env=bare)
    transcript(done, f"env -i PATH=/usr/bin:/bin {' '.join(argv)}")
    fresh = server.on_disk(host, server.DUE)
    assert fresh != before
    host.wait_until(lambda: server.served(host, server.DUE) == fresh, 10, "nginx to load it")
    assert not host.exists(PENDING)


def test_defect_07_a_run_that_fails_fails_the_unit_and_mails_why(
    host: Machine, transcript: Keep
) -> None:
    mails = len(host.mails(server.ADMIN))
    host.run(["systemctl", "stop", "pebble"])
    try:
        assert run_service(host) == 1
        failed = host.run(["systemctl", "is-failed", "certtui-renew.service"], check=False)
        transcript(failed, "systemctl is-failed certtui-renew.service")
        assert failed.stdout == "failed\n"
        host.wait_until(lambda: len(host.mails(server.ADMIN)) > mails, 20, "the mail")
    finally:
        host.run(["systemctl", "start", "pebble"])
        server.new_account(host)
    text = host.mails(server.ADMIN)[-1].as_string()
    assert f"Result:       renewal failed: {server.DUE} (exit status 1)" in text
    assert "The end of /var/log/letsencrypt/letsencrypt.log:" in text
    assert run_service(host) == 0
    assert host.run(["systemctl", "is-failed", "certtui-renew.service"], check=False).returncode


def test_defect_08_without_mktemp_it_renews_all_the_same(host: Machine) -> None:
    before = server.on_disk(host, server.DUE)
    host.run(["mv", "/usr/bin/mktemp", "/usr/bin/mktemp.away"])
    try:
        assert run_service(host) == 0
    finally:
        host.run(["mv", "/usr/bin/mktemp.away", "/usr/bin/mktemp"])
    assert server.on_disk(host, server.DUE) != before


def test_defect_10_the_timer_lives_where_clocks_change_at_midnight(
    host: Machine, transcript: Keep
) -> None:
    def elapses(unit: str) -> str:
        argv = ["systemctl", "show", "-P", "NextElapseUSecRealtime", unit]
        done = host.run(argv)
        transcript(done, f"{' '.join(argv)}  # in Asia/Beirut")
        return done.stdout.strip()

    before = host.run(["readlink", "-f", "/etc/localtime"]).stdout.strip()
    try:
        host.run(["ln", "-sf", "/usr/share/zoneinfo/Asia/Beirut", "/etc/localtime"])
        host.run(["systemctl", "daemon-reexec"])
        host.run(["systemctl", "restart", "certtui-renew.timer"])
        assert re.search(r" EES?T$", elapses("certtui-renew.timer"))
    finally:
        host.run(["ln", "-sf", before, "/etc/localtime"])
        host.run(["systemctl", "daemon-reexec"])
        host.run(["systemctl", "restart", "certtui-renew.timer"])
    assert elapses("certtui-renew.timer").endswith(" UTC")


def test_defect_14_apply_fails_where_the_server_could_not_load(
    host: Machine, transcript: Keep
) -> None:
    """The ACME server is content, and a dry run runs no deploy hook."""
    site = f"/etc/nginx/sites-enabled/{server.DUE}"
    good = host.read(site)
    host.write(site, f"{good}an administrator was here;\n")
    try:
        done = host.certtui("apply", PLAN)
    finally:
        host.write(site, good)
    transcript(done, f"certtui apply {PLAN}  # nginx -t fails")
    assert done.returncode == 1
    assert "the configuration test of nginx failed" in done.stdout + done.stderr
    done = host.certtui("apply", PLAN)
    transcript(done, f"certtui apply {PLAN}  # nginx -t is content again")
    assert done.returncode == 0


def test_defect_15_no_connection_is_refused_while_it_reloads(
    host: Machine, transcript: Keep
) -> None:
    probe = subprocess.Popen(
        [*host.enter(), "python3", "-c", _PROBE], stdout=subprocess.PIPE, text=True
    )
    for _ in range(5):
        host.write(PENDING, f"/etc/letsencrypt/live/{server.DUE}\n", 0o600)
        host.run([POST_HOOK])
        assert not host.exists(PENDING)
    host.write("/var/tmp/enough", "")
    said = probe.communicate(timeout=20)[0]
    transcript(subprocess.CompletedProcess([], 0, said, ""), "connections made, refused; 5 reloads")
    made, refused = json.loads(said)
    assert made > 20
    assert refused == 0


def test_defect_23_ended_while_certbot_waits_nothing_is_left(
    host: Machine, transcript: Keep
) -> None:
    """The ACME server hangs, and somebody stops the service."""

    def certbots() -> str:
        return host.run(["pgrep", "-a", "-f", "certbot -q renew"], check=False).stdout

    acme = host.run(["systemctl", "show", "-P", "MainPID", "pebble"]).stdout.strip()
    host.run(["kill", "-STOP", acme])
    try:
        host.run(["systemctl", "start", "--no-block", "certtui-renew.service"])
        host.wait_until(certbots, 20, "certbot")
        transcript(host.run(["pgrep", "-a", "-f", "certbot"]), "pgrep -a -f certbot")
        host.run(["systemctl", "stop", "certtui-renew.service"])
        assert certbots() == ""
    finally:
        host.run(["kill", "-CONT", acme])
    assert last_run(host) == "failed"
    assert host.read(LOG).splitlines()[-1].endswith(" ended by a signal")
    host.run(["systemctl", "reset-failed", "certtui-renew.service"], check=False)
    # And the next one meets no lock.
    assert run_service(host) == 0
    assert last_run(host) == "ok"
    transcript(host.run(["tail", "-n", "2", LOG]), f"tail -n 2 {LOG}")


def test_defect_24_without_a_mailer_apply_refuses_and_a_run_says_it(
    host: Machine, transcript: Keep
) -> None:
    names = ["/usr/sbin/sendmail", "/usr/bin/mail", "/usr/bin/mailx"]
    there = [name for name in names if host.run(["test", "-e", name], check=False).returncode == 0]
    host.write("/root/other.toml", server.plan("cron"))
    for name in there:
        host.run(["mv", name, f"{name}.away"])
    try:
        done = host.certtui("apply", "/root/other.toml", "--no-dry-run")
        transcript(done, "certtui apply /root/other.toml  # no mailer")
        assert done.returncode == 1
        assert "apt-get install" in done.stdout + done.stderr
        host.run(["systemctl", "stop", "pebble"])
        assert run_service(host) == 1
    finally:
        for name in there:
            host.run(["mv", f"{name}.away", name])
        host.run(["systemctl", "start", "pebble"])
        server.new_account(host)
    line = host.read(LOG).splitlines()[-1]
    assert line.endswith("mail not sent: neither sendmail nor mail was found")
    assert run_service(host) == 0
    # Nothing was mailed since, so doctor goes on to say it until something is.
    assert "mail.not-sent" in host.certtui("doctor").stdout
    transcript(host.certtui("drill", check=True), "certtui drill")


def test_defect_26_debians_timer_is_turned_off_and_undo_turns_it_on(
    host: Machine, transcript: Keep
) -> None:
    def state() -> list[str]:
        questions = ("is-enabled", "is-active")
        argvs = [["systemctl", question, "certbot.timer"] for question in questions]
        return [host.run(argv, check=False).stdout.strip() for argv in argvs]

    assert state() == ["disabled", "inactive"]
    doctor = host.certtui("doctor")
    assert doctor.returncode == 0, doctor.stdout
    host.certtui("undo", check=True)
    assert state() == ["enabled", "active"]
    assert not host.exists(SCRIPT)
    transcript(host.certtui("apply", PLAN, "--no-dry-run"), f"certtui apply {PLAN}")
    assert state() == ["disabled", "inactive"]


def test_defect_27_systemd_knows_the_delay_and_makes_up_for_a_missed_run(
    host: Machine, transcript: Keep
) -> None:
    argv = ["systemctl", "show", "-p", "Persistent,RandomizedDelayUSec,TimersCalendar"]
    shown = host.run([*argv, "certtui-renew.timer"])
    transcript(shown, " ".join([*argv, "certtui-renew.timer"]))
    assert "Persistent=yes\n" in shown.stdout
    assert "RandomizedDelayUSec=1h\n" in shown.stdout
    times = re.findall(r"OnCalendar=\*-\*-\* (\d\d:\d\d:\d\d) UTC", shown.stdout)
    assert len(times) == 2
    assert "00:00:00" not in times
