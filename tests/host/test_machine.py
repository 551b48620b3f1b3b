"""The hosts themselves: what the other tests take for granted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.host import server
from tests.host.machine import Machine


def test_a_host_is_a_server(host: Machine) -> None:
    assert host.run(["systemctl", "--failed", "--no-legend"]).stdout == ""
    for unit in ("cron", "atd", "ssh", "nginx", "exim4", "pebble", "certbot.timer"):
        assert host.run(["systemctl", "is-active", unit]).stdout.strip() == "active", unit
    for name in server.NAMES:
        assert server.served(host, name) == server.on_disk(host, name) != ""


def test_mail_is_delivered(host: Machine) -> None:
    message = "Subject: test\nTo: root\n\nhello\n"
    host.run(["sendmail", "-oi", "root"], input=message)
    host.wait_until(lambda: host.mails(server.ADMIN), 20, "the mail")
    (mail,) = host.mails(server.ADMIN)
    assert server.mails_taken(host) == 1
    assert mail["Subject"] == "test"
    assert "root@web1.example.test" in mail["From"]


def test_certbot_renews_the_due_lineage_alone(host: Machine) -> None:
    before = {name: server.on_disk(host, name) for name in server.NAMES}
    argv = ["certbot", "-q", "renew", "--no-random-sleep-on-renew"]
    host.run(argv, env={"REQUESTS_CA_BUNDLE": server.TRUST})
    changed = [name for name in server.NAMES if server.on_disk(host, name) != before[name]]
    assert changed == [server.DUE]


def test_a_host_reboots_with_its_disk(host: Machine) -> None:
    host.run(["touch", "/etc/kept"])
    first = host.run(["systemctl", "show", "-p", "UserspaceTimestampMonotonic"]).stdout
    host.reboot()
    assert host.exists("/etc/kept")
    assert host.run(["systemctl", "is-active", "nginx"]).stdout.strip() == "active"
    assert host.run(["systemctl", "show", "-p", "UserspaceTimestampMonotonic"]).stdout != first


def test_hosts_have_control_groups_of_their_own(new_host: Callable[..., Machine]) -> None:
    """Services of one name would otherwise end each other."""
    hosts = [new_host(), new_host()]
    groups = [Path("/proc", host.enter()[2], "cgroup").read_text() for host in hosts]
    assert all(host.folder.name in group for host, group in zip(hosts, groups, strict=True))
