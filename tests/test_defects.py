"""What the scripts that certtui replaces did wrong, by number: none of it may come back.

They were printed in a post of 2018 and run as printed on Debian 12 with real atd, cron and systemd.
Each test bears the number of what was observed; those of the at jobs are in ``test_defects_at.py``,
those that want a booted host in ``tests/host/test_defects.py``.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from certtui.change.requirements import lacking
from certtui.host.facts import Facts, Timer, WebServer
from certtui.host.interface import RealHost
from certtui.render import build, times
from certtui.render.artifact import UnitState
from tests.doctor.support import Applied, bad
from tests.doctor.support import facts as doctor_facts
from tests.render.support import Machine, alive, facts, plan, system, until
from tests.render.test_renew import FAILURE, LOCK
from tests.tools import need

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)
SHOP = "/etc/letsencrypt/live/shop.example.org"
BACKENDS: tuple[dict[str, Any], ...] = (
    {"schedule_backend": "cron"},
    {"schedule_backend": "systemd-timer"},
    *(
        {"schedule_backend": backend, "schedule_trigger": trigger}
        for backend in ("at-block", "at-random")
        for trigger in ("cron", "systemd")
    ),
)
SYSTEMD = [chosen for chosen in BACKENDS if "systemd" in "".join(chosen.values())]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine with nginx under systemd and a mailer; certbot finds nothing due."""
    made = Machine(tmp_path / "m")
    made.mailer()
    made.server()
    made.certbot("exit 0")
    yield made
    made.clear()


def files(host: Facts | None = None, **answers: Any) -> dict[str, str]:
    """Path -> content of everything that is rendered."""
    rendered = build.render(plan(**answers), host or facts(), plan_text=b"")
    return {artifact.path: artifact.content.decode() for artifact in rendered.artifacts}


def everything() -> Iterator[dict[str, str]]:
    """The files of each backend with each server, with systemd and without where that can be."""
    for chosen in BACKENDS:
        for kind in ("nginx", "apache"):
            yield files(webserver_kind=kind, **chosen)
            if chosen not in SYSTEMD:
                yield files(facts(system=system(init="other")), webserver_kind=kind, **chosen)


def code_of(text: str) -> str:
    """A script without its comments."""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def test_every_number_has_its_test() -> None:
    from tests import test_defects_at

    names = [*globals(), *vars(test_defects_at)]
    numbers = [int(found[1]) for name in names if (found := re.match(r"test_defect_(\d\d)_", name))]
    assert sorted(set(numbers)) == list(range(1, 28))


def test_defect_04_a_deploy_hook_that_fails_is_told_though_certbot_is_silent(
    machine: Machine,
) -> None:
    """``renew --quiet`` exits 0 with nothing on either stream (certbot #8528)."""
    machine.install()
    machine.server(test=1)
    machine.certbot_renews("shop.example.org", then="exit 0")
    assert machine.run(trigger="cron").returncode == 1
    assert machine.results() == ["deploy-failed"]
    assert machine.pending() == [SHOP]
    assert len(machine.mails()) == 1


def test_defect_04_also_below_someone_elses_certbot(machine: Machine) -> None:
    machine.install()
    machine.server(test=1)
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    assert machine.run(machine.post_hook).returncode == 1
    assert machine.pending() == [SHOP]
    assert "renewed but not loaded: shop.example.org" in machine.mails()[0]


def test_defect_05_the_path_of_cron_and_at_is_not_the_scripts(machine: Machine) -> None:
    """With PATH=/usr/bin:/bin the hook said 127 "nginx: command not found", and nobody heard."""
    machine.install()
    machine.certbot_renews("shop.example.org")
    assert machine.run(trigger="cron", PATH="/usr/bin:/bin").returncode == 0
    assert machine.ran("nginx") == ["-t"]
    assert machine.pending() == []
    for found in everything():
        for path, text in found.items():
            if text.startswith("#!"):
                assert re.search(r"^PATH='[^']*:/usr/sbin:", text, re.M), path
            if path.startswith("/etc/cron.d/"):
                assert re.search(r"^PATH=\S*:/usr/sbin:", text, re.M)


def test_defect_06_noise_is_no_failure_and_silence_no_success(machine: Machine) -> None:
    """Mail when stderr was not empty: one every run, and none when certbot failed silently."""
    machine.install()
    machine.certbot("echo 'Saving debug log to /var/log/letsencrypt/letsencrypt.log' >&2")
    assert machine.run(trigger="cron").returncode == 0
    assert machine.mails() == []
    machine.certbot("exit 1")
    assert machine.run(trigger="cron").returncode == 1
    assert len(machine.mails()) == 1
    assert all(arguments.startswith("-q renew ") for arguments in machine.ran("certbot"))


def test_defect_06_the_end_of_certbots_log_is_in_the_mail(machine: Machine) -> None:
    machine.install()
    machine.certbot(f"echo 'the log of this run' >>{machine.folder}/log/letsencrypt.log; exit 1")
    machine.run(trigger="cron")
    assert "the log of this run" in machine.mails()[0]


@pytest.mark.parametrize("trigger", ["cron", "systemd-timer", "at", ""])
def test_defect_07_the_exit_status_is_certbots(machine: Machine, trigger: str) -> None:
    """The wrapper ended with ``rm``: certbot exited 1, the unit was a success."""
    machine.install()
    machine.certbot("exit 3")
    assert machine.run(trigger=trigger).returncode == 3


def test_defect_08_no_temporary_file_is_needed(machine: Machine) -> None:
    """mktemp failed, and certbot never ran."""
    machine.fake("mktemp", "exit 1")
    machine.install()
    assert machine.run(trigger="cron", TMPDIR="/nowhere").returncode == 0
    assert len(machine.ran("certbot")) == 1
    assert machine.ran("mktemp") == []
    for found in everything():
        assert not [path for path, text in found.items() if "mktemp" in text or "/tmp" in text]


@pytest.mark.parametrize("chosen", SYSTEMD, ids=lambda chosen: chosen["schedule_backend"])
def test_defect_09_the_timer_can_be_enabled(tmp_path: Path, chosen: dict[str, Any]) -> None:
    """Without [Install] ``enable`` exits 0 and the timer is gone after a reboot."""
    need("systemctl")
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    for path, text in files(**chosen).items():
        if path.startswith("/etc/systemd/system/"):
            (tmp_path / path.lstrip("/")).write_text(text)

    def systemctl(verb: str) -> str:
        argv = ["systemctl", f"--root={tmp_path}", verb, "certtui-renew.timer"]
        return subprocess.run(argv, capture_output=True, text=True).stdout.strip()

    assert systemctl("is-enabled") == "disabled"
    systemctl("enable")
    assert systemctl("is-enabled") == "enabled"
    assert (units / "timers.target.wants/certtui-renew.timer").is_symlink()


@pytest.mark.parametrize(
    ("now", "name"),
    [
        ({"UnitFileState": "static"}, "timer.no-install"),
        ({"UnitFileState": "disabled"}, "timer.not-enabled"),
        ({"ActiveState": "inactive", "SubState": "dead"}, "timer.not-active"),
    ],
)
def test_defect_09_enabled_and_active_are_checked(
    tmp_path: Path, now: dict[str, str], name: str
) -> None:
    host = Applied(tmp_path, "systemd-timer", doctor_facts())
    assert bad(host) == {}
    host.timer.update(now)
    host.answer()
    assert name in bad(host)


@pytest.mark.parametrize("chosen", SYSTEMD, ids=lambda chosen: chosen["schedule_backend"])
@pytest.mark.parametrize("zone", ["Asia/Beirut", "America/Havana"])
def test_defect_10_no_calendar_loops_where_clocks_change_at_midnight(
    chosen: dict[str, Any], zone: str
) -> None:
    """``*-*-* 00/12:00``: "Infinite loop in calendar calculation"; the live timer stayed dead."""
    need("systemd-analyze")
    (text,) = (text for path, text in files(**chosen).items() if path.endswith(".timer"))
    events = re.findall(r"^OnCalendar=(.*)$", text, re.M)
    assert events
    assert all(event.endswith(" UTC") and "/" not in event for event in events)
    done = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=800", *events],
        capture_output=True,
        text=True,
        env={"TZ": zone, "PATH": os.defpath},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Iter. #800") == len(events)


def test_defect_11_hooks_are_where_certbot_looks(tmp_path: Path) -> None:
    """/var/letsencrypt is read by nobody."""
    for found in everything():
        hooks = sorted(path for path in found if "/renewal-hooks/" in path)
        assert hooks == [
            "/etc/letsencrypt/renewal-hooks/deploy/certtui-deploy",
            "/etc/letsencrypt/renewal-hooks/post/certtui-reload",
        ]
        assert not [text for text in found.values() if "/var/letsencrypt" in text]
    host = Applied(tmp_path, "cron", doctor_facts())
    host.write("/var/letsencrypt/renewal-hooks/deploy/restart", "#!/bin/sh\n")
    assert "hooks.wrong-folder" in bad(host)


def test_defect_12_every_script_can_be_executed(tmp_path: Path) -> None:
    """The folder was made executable and not the hook, which certbot passed over silently."""
    for chosen in BACKENDS:
        rendered = build.render(plan(**chosen), facts(), plan_text=b"")
        for artifact in rendered.artifacts:
            assert (artifact.mode == 0o700) is artifact.content.startswith(b"#!"), artifact.path
    host = Applied(tmp_path, "cron", doctor_facts())
    host.path("/etc/letsencrypt/renewal-hooks/deploy/certtui-deploy").chmod(0o644)
    assert "hooks.not-executable" in bad(host)


@pytest.mark.parametrize(
    ("server", "unit"),
    [
        (WebServer("apache", "/usr/sbin/apache2", "apache2.service", True), "apache2.service"),
        (WebServer("apache", "/usr/sbin/httpd", "httpd.service", True), "httpd.service"),
        (WebServer("nginx", "/usr/sbin/nginx", "nginx.service", True), "nginx.service"),
    ],
)
@pytest.mark.parametrize("action", ["reload", "restart"])
def test_defect_13_units_are_called_by_their_names(
    machine: Machine, server: WebServer, unit: str, action: str
) -> None:
    """``systemctl restart apachectl``: unit not found, exit 5."""
    for program in ("apachectl", "httpd"):
        machine.fake(program, "exit 0")
    host = facts(webservers=(server,))
    machine.install(host, webserver_kind=server.kind, webserver_action=action)
    machine.certbot_renews("shop.example.org")
    assert machine.run(trigger="cron").returncode == 0
    assert [line.split()[-1] for line in machine.ran("systemctl")] == [unit]


def test_defect_14_a_dry_run_proves_the_servers_side_too(machine: Machine) -> None:
    """It skips deploy hooks, so that 5, 11, 12 and 13 passed it."""
    machine.install()
    assert machine.run(machine.post_hook, PATH="/usr/bin:/bin").returncode == 0
    assert machine.ran("nginx") == ["-t"]
    machine.server(test=1)
    assert machine.run(machine.post_hook).returncode == 1
    machine.server()
    machine.fake("systemctl", '[ "$1" = cat ] && echo "No files found for $2." >&2; exit 1')
    done = machine.run(machine.post_hook)
    assert done.returncode == 1
    assert "No files found for nginx.service." in done.stderr


def test_defect_15_tested_then_reloaded_and_never_started(machine: Machine) -> None:
    """A restart refused 233 connections in one test, and started a server that was stopped."""
    machine.install()
    machine.server(test=1)
    machine.certbot_renews("shop.example.org")
    machine.run(trigger="cron")
    assert machine.ran("systemctl") == []
    machine.server()
    machine.run(trigger="cron")
    assert set(machine.ran("systemctl")) == {"try-reload-or-restart nginx.service"}
    for found in everything():
        for text in found.values():
            assert not re.search(r"systemctl (start|restart|reload-or-restart)\b", code_of(text))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_defect_23_nothing_is_left_when_it_is_ended(
    machine: Machine, signum: signal.Signals
) -> None:
    """Temporary files stayed, certbot went on and the next run met its lock."""
    machine.certbot(f"echo $$ >{machine.folder}/pid.new; mv {machine.folder}/pid.new "
                    f"{machine.folder}/pid; exec /bin/sleep 60")  # fmt: skip
    machine.sleeps('exec /bin/sleep "$1"')
    machine.install()
    started = machine.start(CERTTUI_TRIGGER="systemd-timer")
    until((machine.folder / "pid").exists)
    certbot = int((machine.folder / "pid").read_text())
    os.kill(started.pid, signum)
    started.communicate(timeout=20)
    assert started.returncode == 128 + signum
    assert not alive(certbot)
    assert [path.name for path in machine.state.iterdir()] == ["runs.log"]


def test_defect_23_a_lock_is_waited_for(machine: Machine) -> None:
    machine.install()
    machine.certbot(f'[ "$(wc -l <{machine.folder}/certbot.ran)" -gt 1 ] && exit 0\n{LOCK}')
    assert machine.run(trigger="cron").returncode == 0
    assert machine.mails() == []


def test_defect_24_a_mail_that_cannot_leave_is_told_and_sent_later(tmp_path: Path) -> None:
    """``mail`` was missing: exit 0, nothing sent."""
    machine = Machine(tmp_path / "m")
    machine.certbot(FAILURE)
    machine.install()
    assert machine.run(trigger="cron").returncode == 1
    assert "mail not sent: neither sendmail nor mail was found" in machine.runs()[0]
    assert "mail not sent" in machine.syslog()
    machine.mailer()
    machine.run(trigger="cron")
    assert len(machine.mails()) == 1


def test_defect_24_apply_looks_for_a_mailer() -> None:
    found = lacking(plan(mail_to="admin@example.com"), facts(mailer=None), RealHost())
    assert "mailer" in [lack.what for lack in found]


def test_defect_25_no_process_is_chosen_by_its_name() -> None:
    """``pkill -f atd`` also hit rpc.statd and an editor."""
    for found in everything():
        for path, text in found.items():
            assert not re.search(r"\b(pkill|killall|pgrep|pidof|fuser)\b", code_of(text)), path


def test_defect_26_a_second_renewer_is_turned_off_or_kept_knowingly(tmp_path: Path) -> None:
    """Debian's certbot.timer was on: the first one won, without the hooks."""
    host = facts(timers=(Timer("certbot.timer", "enabled", True),))
    off = build.render(plan(), host, plan_text=b"").units
    assert [unit.unit for unit in off if not unit.on] == ["certbot.timer"]
    kept: tuple[UnitState, ...] = build.render(
        plan(certbot_other_schedulers="keep"), host, plan_text=b""
    ).units
    assert [unit.unit for unit in kept if not unit.on] == []


def test_defect_27_hosts_differ_wait_a_random_time_and_catch_up() -> None:
    """A whole fleet at 00:00, and a run that was missed was never made up for."""
    fleet = [facts(system=system(machine_id=f"{number:032x}")) for number in range(60)]
    (timer,) = (text for path, text in files(fleet[0]).items() if path.endswith(".timer"))
    assert "\nPersistent=true\n" in timer
    assert int(re.findall(r"^RandomizedDelaySec=(\d+)$", timer, re.M)[0]) == 3600
    for chosen in BACKENDS:
        made = plan(**chosen)
        firsts = {times.next_runs(made, host, NOW, 1)[0].earliest for host in fleet}
        # Sixty draws of the minutes of half a day: some may meet, no crowd may.
        assert len(firsts) > 45, chosen
