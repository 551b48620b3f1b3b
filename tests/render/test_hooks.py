"""The two hooks as certbot runs them, below our script and below someone else's scheduler."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from certtui.host.facts import WebServer
from tests.render.support import NGINX, Machine, alive, facts, system

SHOP = "/etc/letsencrypt/live/shop.example.org"
WIKI = "/etc/letsencrypt/live/wiki.example.org"
RELOAD = "try-reload-or-restart nginx.service"


def test_two_lineages_are_loaded_once(machine: Machine) -> None:
    machine.install()
    machine.certbot_renews("shop.example.org", "wiki.example.org")
    done = machine.run(trigger="cron")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.ran("nginx") == ["-t"]
    assert machine.ran("systemctl") == [RELOAD]
    assert not (machine.state / "pending-deploy").exists()
    assert machine.mails() == []
    assert "loads the renewed certificates: shop.example.org, wiki.example.org" in machine.syslog()


def test_the_deploy_hook_only_notes_and_notes_once(machine: Machine) -> None:
    machine.install()
    for lineage in (SHOP, WIKI, SHOP):
        assert machine.run(machine.deploy_hook, RENEWED_LINEAGE=lineage).returncode == 0
    assert machine.pending() == [SHOP, WIKI]
    assert (machine.state / "pending-deploy").stat().st_mode & 0o777 == 0o600
    assert machine.state.stat().st_mode & 0o777 == 0o700
    assert machine.ran("nginx") == machine.ran("systemctl") == []


def test_a_name_that_begins_another_is_one_of_its_own(machine: Machine) -> None:
    machine.install()
    short = SHOP.removesuffix(".org")
    for lineage in (SHOP, short):
        machine.run(machine.deploy_hook, RENEWED_LINEAGE=lineage)
    assert machine.pending() == [SHOP, short]
    # Only the longer one is there when the server is told.
    machine.fake("systemctl", f"RENEWED_LINEAGE={short} {machine.deploy_hook}")
    (machine.state / "pending-deploy").write_text(f"{SHOP}\n")
    assert machine.run(machine.post_hook).returncode == 0
    assert machine.pending() == [short]


@pytest.mark.parametrize("lineage", ["", "/a\n/b"])
def test_the_deploy_hook_refuses_what_certbot_would_not_say(machine: Machine, lineage: str) -> None:
    machine.install()
    done = machine.run(machine.deploy_hook, RENEWED_LINEAGE=lineage)
    assert done.returncode == 64
    assert "RENEWED_LINEAGE" in done.stderr
    assert machine.pending() == []


def test_nothing_pending_nothing_loaded(machine: Machine) -> None:
    machine.install()
    assert machine.run(machine.post_hook).returncode == 0
    assert machine.ran("systemctl") == ["cat nginx.service"]
    assert not machine.state.exists()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"test": 1}, "the configuration test of nginx failed: nginx: [emerg] what nginx says"),
        ({"reload": 1}, "nginx could not be told to load a certificate: No files found"),
    ],
)
def test_seed_14_a_dry_run_tests_what_a_reload_needs(
    machine: Machine, broken: dict[str, int], said: str
) -> None:
    """It really runs post hooks but no deploy hooks, so that nothing is pending."""
    machine.install()
    machine.server(**broken)
    if "reload" in broken:
        machine.fake("systemctl", "echo 'No files found for nginx.service.' >&2; exit 1")
    done = machine.run(machine.post_hook)
    assert done.returncode == 1
    # certtui's reading of a dry run tells the first line.
    assert done.stderr.splitlines()[0].startswith(said)
    assert machine.mails() == []
    assert not machine.state.exists()


def test_a_failed_renewal_is_one_mail_also_if_the_server_is_ill(machine: Machine) -> None:
    machine.install()
    machine.server(test=1)
    machine.certbot_renews(then="exit 1")
    assert machine.run(trigger="cron").returncode == 1
    assert machine.results() == ["failed"]
    assert len(machine.mails()) == 1


def test_seed_04_a_failing_hook_is_reported_once_though_certbot_exits_0(machine: Machine) -> None:
    machine.install()
    machine.server(test=1)
    machine.certbot_renews("shop.example.org")
    done = machine.run(trigger="cron")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert machine.ran("nginx") == ["-t", "-t"]
    assert machine.ran("systemctl") == []
    assert machine.pending() == [SHOP]
    assert machine.results() == ["deploy-failed"]
    (mail,) = machine.mails()
    assert "Subject: [certtui] web1.example.org: renewed but not loaded: shop.example.org" in mail
    assert "the configuration test of nginx failed:\nnginx: [emerg] what nginx says" in mail
    assert "Certificates: shop.example.org\n" in mail

    machine.certbot("exit 0")
    assert machine.run(trigger="cron").returncode == 1
    assert len(machine.mails()) == 1
    machine.server()
    assert machine.run(trigger="cron").returncode == 0
    assert machine.pending() == []
    assert machine.ran("systemctl") == [RELOAD]
    assert machine.results() == ["deploy-failed", "deploy-failed", "ok"]
    assert "renewal works again" in machine.mails()[1]


def test_a_reload_that_fails_stays_pending(machine: Machine) -> None:
    machine.install()
    machine.server(reload=5)
    machine.certbot_renews("shop.example.org")
    assert machine.run(trigger="cron").returncode == 1
    assert machine.pending() == [SHOP]
    assert "nginx could not be told to load the certificate" in machine.mails()[0]


def test_a_pending_deploy_is_retried_also_when_certbot_fails(machine: Machine) -> None:
    machine.install()
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    machine.certbot("exit 1")
    assert machine.run(trigger="cron").returncode == 1
    assert machine.ran("systemctl") == [RELOAD]
    assert machine.results() == ["failed"]


def test_both_failures_are_one_mail(machine: Machine) -> None:
    machine.install()
    machine.server(test=1)
    machine.certbot_renews("shop.example.org", then="exit 1")
    assert machine.run(trigger="cron").returncode == 1
    (mail,) = machine.mails()
    assert "renewed but not loaded: shop.example.org" in mail
    assert machine.results() == ["failed"]


def test_a_deploy_that_fails_while_the_lock_is_held(machine: Machine) -> None:
    machine.install()
    machine.server(test=1)
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    machine.certbot("echo 'Another instance of Certbot is already running.'; exit 1")
    assert machine.run(trigger="cron").returncode == 1
    assert machine.results() == ["deploy-failed"]


def test_below_a_foreign_scheduler_the_hook_mails_by_itself(machine: Machine) -> None:
    machine.install()
    machine.server(test=1)
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    done = machine.run(machine.post_hook)
    assert done.returncode == 1
    assert "what nginx says" in done.stderr
    assert "renewed but not loaded: shop.example.org" in machine.syslog()
    (mail,) = machine.mails()
    assert "Certificates: shop.example.org" in mail
    assert str(machine.post_hook) in mail
    # Our next run knows that it was told.
    assert machine.run(trigger="cron").returncode == 1
    assert len(machine.mails()) == 1


def test_seed_15_a_stopped_server_is_not_started(machine: Machine) -> None:
    """systemctl(1): try-reload-or-restart does nothing to a unit that is not running."""
    machine.install()
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    assert machine.run(machine.post_hook).returncode == 0
    assert machine.ran("systemctl") == [RELOAD]
    assert machine.pending() == []


def test_a_restart_where_the_plan_says_so(machine: Machine) -> None:
    machine.install(webserver_action="restart")
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    machine.run(machine.post_hook)
    assert machine.ran("systemctl") == ["try-restart nginx.service"]


#: systemctl(1): try-* do nothing to a unit that has failed, the others start it.
_RESTART_FAILS = """\
case "$1" in
    cat) exit 0 ;;
    is-active) [ ! -e {down} ] ;;
    try-*) [ -e {down} ] || {{ : >{down}; exit 1; }} ;;
    *) exit {code} ;;
esac
"""


@pytest.mark.parametrize(
    ("action", "first", "again"),
    [
        ("restart", "try-restart", "restart"),
        ("reload", "try-reload-or-restart", "reload-or-restart"),
    ],
)
def test_a_server_that_we_have_ended_is_not_taken_for_stopped(
    machine: Machine, action: str, first: str, again: str
) -> None:
    machine.install(webserver_action=action)
    machine.fake("systemctl", _RESTART_FAILS.format(down=machine.folder / "down", code=1))
    machine.certbot_renews("shop.example.org")
    assert machine.run(trigger="cron").returncode == 1
    assert machine.results() == ["deploy-failed"]
    assert machine.pending() == [SHOP]
    assert len(machine.mails()) == 1
    told = [said for said in machine.ran("systemctl") if not said.startswith("is-active")]
    assert told == [f"{first} nginx.service", f"{again} nginx.service"]

    machine.fake("systemctl", "exit 0")
    machine.certbot("exit 0")
    assert machine.run(trigger="cron").returncode == 0
    assert machine.ran("systemctl")[-1] == f"{again} nginx.service"
    assert machine.pending() == []
    # From then on it may be stopped again.
    machine.certbot_renews("shop.example.org")
    assert machine.run(trigger="cron").returncode == 0
    assert machine.ran("systemctl")[-1] == f"{first} nginx.service"


def test_success_clears_exactly_what_was_read(machine: Machine) -> None:
    machine.install()
    # Another certbot renews one more while the server is being reloaded.
    machine.fake("systemctl", f"RENEWED_LINEAGE={WIKI} {machine.deploy_hook}")
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    assert machine.run(machine.post_hook).returncode == 0
    assert machine.pending() == [WIKI]


def test_a_hook_killed_while_it_clears_forgets_nothing(machine: Machine) -> None:
    machine.install()
    machine.state.mkdir()
    (machine.state / "pending-deploy.done").write_text(f"{SHOP}\n")
    assert machine.run(trigger="cron").returncode == 0
    assert machine.ran("systemctl") == [RELOAD]
    assert sorted(path.name for path in machine.state.iterdir()) == ["runs.log"]


def test_a_full_disk_reloads_at_once(machine: Machine) -> None:
    machine.install()
    machine.state.write_text("")
    done = machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    assert done.returncode == 0
    assert machine.ran("systemctl") == [RELOAD]
    machine.server(test=1)
    assert machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP, CERTTUI_RUN="1").returncode == 1
    assert len(machine.mails()) == 1


def test_seed_05_the_hooks_have_a_path_of_their_own(machine: Machine) -> None:
    machine.install()
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP, PATH="/nowhere")
    assert machine.run(machine.post_hook, PATH="/nowhere").returncode == 0
    assert machine.ran("nginx") == ["-t"]


def test_custom(machine: Machine) -> None:
    odd = "it's $(odd) `id` *"
    machine.fake(
        "haproxy-check", f'[ "$1" = "{odd.replace("$", chr(92) + "$")}" ]'.replace("`", "\\`")
    )
    machine.fake("haproxy-reload", "exit 0")
    machine.install(
        webserver_kind="custom",
        webserver_test=("haproxy-check", odd),
        webserver_command=("haproxy-reload", "-f", "a b"),
    )
    machine.certbot_renews("shop.example.org")
    assert machine.run(trigger="cron").returncode == 0
    assert machine.ran("haproxy-reload") == ["-f a b"]


@pytest.mark.parametrize("code", [0, 3])
def test_a_custom_command_may_leave_a_daemon_behind(machine: Machine, code: int) -> None:
    """It keeps the command's streams open: nobody may wait for their end."""
    machine.fake(
        "load",
        f"/bin/sleep 30 & echo $! >{machine.folder}/daemon; echo 'what it says'; exit {code}",
    )
    machine.install(webserver_kind="custom", webserver_command=("load",))
    machine.certbot_renews("shop.example.org")
    began = time.monotonic()
    done = machine.run(trigger="cron")
    daemon = int((machine.folder / "daemon").read_text())
    assert alive(daemon)
    os.kill(daemon, signal.SIGKILL)
    assert time.monotonic() - began < 20
    assert done.returncode == (1 if code else 0)
    assert machine.results() == ["deploy-failed" if code else "ok"]
    if code:
        assert "what it says" in machine.mails()[0]
    # A daemon that writes on finds its file, not the end of a pipe.
    assert (machine.state / "command-output").stat().st_mode & 0o777 == 0o600


def test_certbot_does_not_wait_for_a_daemon_of_the_hook(machine: Machine) -> None:
    """certbot reads what a hook prints to its end, as this test does."""
    machine.fake("load", f"/bin/sleep 30 & echo $! >{machine.folder}/daemon")
    machine.install(webserver_kind="custom", webserver_command=("load",))
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    began = time.monotonic()
    assert machine.run(machine.post_hook).returncode == 0
    os.kill(int((machine.folder / "daemon").read_text()), signal.SIGKILL)
    assert time.monotonic() - began < 20


def test_a_custom_command_is_run_where_nothing_can_be_written(machine: Machine) -> None:
    machine.fake("load", "echo said; exit 0")
    machine.install(webserver_kind="custom", webserver_command=("load",))
    machine.certbot_renews("shop.example.org")
    (machine.state / "command-output").mkdir(parents=True)
    assert machine.run(trigger="cron").returncode == 0
    assert machine.ran("load") == [""]


def test_custom_without_a_test(machine: Machine) -> None:
    machine.fake("load", "exit 0")
    machine.install(webserver_kind="custom", webserver_command=("load",))
    machine.certbot_renews("shop.example.org")
    assert machine.run(trigger="cron").returncode == 0
    assert machine.ran("load") == [""]


def test_no_server_no_hooks(machine: Machine) -> None:
    machine.install(webserver_kind="none")
    assert not machine.post_hook.exists()
    assert not machine.deploy_hook.exists()
    machine.state.mkdir()
    # From a plan before: nobody is to load it any more.
    (machine.state / "pending-deploy").write_text(f"{SHOP}\n")
    assert machine.run(trigger="cron").returncode == 0
    assert not (machine.state / "pending-deploy").exists()


def test_without_systemd_a_server_that_does_not_run_is_left_alone(machine: Machine) -> None:
    machine.install(facts(system=system(init="other"), webservers=()))
    _rename_process(machine, "certtui-no-such")
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    assert machine.run(machine.post_hook).returncode == 0
    assert machine.ran("nginx") == ["-t"]
    assert machine.pending() == []


def test_without_systemd_a_running_server_gets_its_own_signal(machine: Machine) -> None:
    machine.install(facts(system=system(init="other"), webservers=(NGINX,)))
    # Some process that surely runs while the hook does: the shell that runs it.
    _rename_process(machine, "dash")
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    assert machine.run(machine.post_hook).returncode == 0
    assert machine.ran("nginx") == ["-t", "-s reload"]


def test_without_systemd_the_service_command_where_there_is_an_init_script(
    machine: Machine,
) -> None:
    machine.install(facts(system=system(init="other")))
    _rename_process(machine, "dash")
    _init_script(machine, "dash")
    machine.fake("service", "exit 0")
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    assert machine.run(machine.post_hook).returncode == 0
    assert machine.ran("service") == ["dash reload"]


def test_without_systemd_a_server_that_does_not_come_back_is_told(machine: Machine) -> None:
    """Debian's init script of Apache ends with 0 also when Apache did not start."""
    machine.install(facts(system=system(init="other")), webserver_action="restart")
    _rename_process(machine, "certtui-web")
    _init_script(machine, "certtui-web")
    program = shutil.copy("/bin/sleep", machine.folder / "certtui-web")
    server = subprocess.Popen([program, "60"])
    try:
        # Its end is waited for here: until then it would be there as a zombie.
        reaper = threading.Thread(target=server.wait)
        reaper.start()
        end = f"kill {server.pid}; while kill -0 {server.pid}; do sleep 0.1; done; exit 0"
        machine.fake("service", end)
        machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
        done = machine.run(machine.post_hook)
    finally:
        server.kill()
        reaper.join()
    assert machine.ran("service") == ["certtui-web restart"]
    assert done.returncode == 1
    assert "certtui-web does not run any more" in done.stderr
    assert machine.pending() == [SHOP]


def test_without_systemd_and_init_script_nginx_is_never_stopped(machine: Machine) -> None:
    """It may be a container's process 1, or one whose arguments only its starter knows."""
    host = facts(system=system(init="other"), webservers=(NGINX,))
    machine.install(host, webserver_action="restart")
    _rename_process(machine, "dash")
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    assert machine.run(machine.post_hook).returncode == 0
    assert machine.ran("nginx") == ["-t", "-s reload"]
    assert "it was reloaded, not restarted" in machine.syslog()


@pytest.mark.parametrize(("action", "signal"), [("reload", "graceful"), ("restart", "restart")])
def test_without_systemd_and_init_script_apache_restarts_itself(
    machine: Machine, action: str, signal: str
) -> None:
    machine.fake("apachectl", "exit 0")
    host = facts(system=system(init="other"), webservers=())
    machine.install(host, webserver_kind="apache", webserver_action=action)
    _rename_process(machine, "dash", "apache2")
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    assert machine.run(machine.post_hook).returncode == 0
    assert machine.ran("apachectl") == ["-t", f"-k {signal}"]
    assert "not restarted" not in machine.syslog()


def _init_script(machine: Machine, name: str) -> None:
    """There is one of that name, for the post hook."""
    init = machine.folder / "init.d"
    init.mkdir()
    (init / name).write_text("#!/bin/sh\n")
    (init / name).chmod(0o755)
    text = machine.post_hook.read_text()
    assert "/etc/init.d/$SERVICE" in text
    machine.post_hook.write_text(text.replace("/etc/init.d/", f"{init}/"))


def _rename_process(machine: Machine, name: str, old: str = "nginx") -> None:
    text = machine.post_hook.read_text()
    assert f"SERVICE='{old}'" in text
    machine.post_hook.write_text(text.replace(f"SERVICE='{old}'", f"SERVICE='{name}'"))


@pytest.mark.parametrize(
    ("server", "distribution", "test", "unit"),
    [
        (
            WebServer("apache", "/usr/sbin/apache2", "apache2.service", True),
            "debian",
            "apachectl",
            "apache2.service",
        ),
        (
            WebServer("apache", "/usr/sbin/httpd", "httpd.service", False),
            "fedora",
            "httpd",
            "httpd.service",
        ),
        (WebServer("apache", "/usr/sbin/httpd", "", False), "debian", "httpd", "httpd.service"),
        (None, "debian", "apachectl", "apache2.service"),
        (None, "fedora", "httpd", "httpd.service"),
    ],
)
def test_seed_13_apache_is_called_by_the_name_of_its_unit(
    tmp_path: Path, server: WebServer | None, distribution: str, test: str, unit: str
) -> None:
    machine = Machine(tmp_path / "m")
    machine.fake(test, "exit 0")
    machine.fake("systemctl", "exit 0")
    machine.install(
        facts(system=system(os_id=distribution), webservers=(server,) if server else ()),
        webserver_kind="apache",
    )
    if server and not server.unit:
        # No unit runs it, so that it gets its own signal, if it runs at all.
        assert (
            "signal_server() {\n    limit 120 'httpd' '-k' 'graceful'"
            in machine.post_hook.read_text()
        )
        return
    machine.run(machine.deploy_hook, RENEWED_LINEAGE=SHOP)
    assert machine.run(machine.post_hook).returncode == 0
    assert machine.ran(test) == ["-t"]
    assert machine.ran("systemctl") == [f"try-reload-or-restart {unit}"]
