"""All facts of a recorded Debian server, and of poorer hosts."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from certtui.host import (
    certbots,
    daemons,
    gather,
    mailers,
    renewers,
    system,
    units,
    webservers,
)
from certtui.host.facts import CertbotInstall, Facts, WebServer
from certtui.host.interface import Completed, RealHost
from certtui.host.webservers import Listener
from tests.facts.support import FakeHost

SHOW = """\
Id=certbot.timer
Names=certbot.timer
LoadState=loaded
UnitFileState=enabled
ActiveState=active
FragmentPath=/lib/systemd/system/certbot.timer
Unit=certbot.service
NextElapseUSecRealtime=Tue 2026-11-24 22:58:37 UTC
LastTriggerUSec=n/a

Id=logrotate.timer
Names=logrotate.timer
LoadState=loaded
UnitFileState=enabled
ActiveState=active
Unit=logrotate.service

Id=cron.service
Names=cron.service
LoadState=loaded
UnitFileState=enabled
ActiveState=active

Id=crond.service
Names=crond.service
LoadState=not-found
UnitFileState=
ActiveState=inactive

Id=atd.service
Names=atd.service
LoadState=loaded
UnitFileState=disabled
ActiveState=inactive

Id=nginx.service
Names=nginx.service
LoadState=loaded
UnitFileState=enabled
ActiveState=active
"""


SERVICES = """\
Id=certbot.service
Names=certbot.service
LoadState=loaded
ExecStart={ path=/usr/bin/certbot ; argv[]=/usr/bin/certbot -q renew ; ignore_errors=no ; }

Id=logrotate.service
Names=logrotate.service
LoadState=loaded
ExecStart={ path=/usr/sbin/logrotate ; argv[]=/usr/sbin/logrotate /etc/logrotate.conf ; }
"""


DEBIAN_CRON = (
    b"SHELL=/bin/sh\n# certbot renew in a comment\n"
    b"0 */12 * * * root test -x /usr/bin/certbot -a \\! -d /run/systemd/system "
    b"&& certbot -q renew\n"
)


@pytest.fixture
def debian(monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    host = FakeHost(
        files={
            "/etc/os-release": b'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
            "/etc/machine-id": b"0123456789abcdef0123456789abcdef\n",
            "/proc/sys/kernel/hostname": b"web1\n",
            "/etc/hosts": b"127.0.0.1 localhost\n127.0.1.1 web1.example.test web1\n",
            "/run/systemd/system/x": b"",
            "/etc/cron.d/certbot": DEBIAN_CRON,
            "/etc/cron.d/.placeholder": b"# certbot renew\n",
            "/var/lib/dpkg/info/certbot.list": b"",
            "/proc/700/cgroup": b"0::/system.slice/nginx.service\n",
        },
        links={"/usr/sbin/sendmail": "exim4"},
    )
    for path in ("/usr/bin/certbot", "/usr/sbin/nginx", "/usr/sbin/exim4", "/usr/bin/apt-get"):
        host.program(path)
    asked = "Id,Names,LoadState,UnitFileState,ActiveState,SubState,FragmentPath,Unit,"
    asked += "NextElapseUSecRealtime,LastTriggerUSec,ExecStart,Result,MainPID"
    show = ("systemctl", "show", "-p", asked, "--")
    host.answers = {
        ("systemctl", "--version"): "systemd 252 (252.39-1~deb12u1)\n+PAM\n",
        (*show, "*.timer"): SHOW,
        (*show, "certbot.service"): SERVICES,
        ("/usr/bin/certbot", "--version"): "certbot 2.1.0\n",
    }
    listening = (Listener(80, 700, "nginx", "/usr/sbin/nginx"), Listener(443, 700, "nginx"))
    monkeypatch.setattr(webservers, "listeners", lambda: (listening, ()))
    return host


def test_a_debian_server(debian: FakeHost) -> None:
    found = gather.gather(debian)
    assert found.system.os_name == "Debian GNU/Linux 12 (bookworm)"
    assert found.system.hostname == "web1.example.test"
    assert (found.system.init, found.system.systemd_version) == ("systemd", 252)
    assert found.system.package_manager == "apt"
    assert found.certbots == (CertbotInstall("/usr/bin/certbot", "deb", "2.1.0"),)
    assert found.webservers == (
        WebServer("nginx", "/usr/sbin/nginx", "nginx.service", True, (80, 443)),
    )
    assert (found.cron.unit, found.cron.enabled, found.cron.running) == ("cron.service", True, True)
    assert (found.atd.installed, found.atd.enabled, found.atd.running) == (True, False, False)
    assert found.has_cron_d
    assert found.mailer is not None
    assert (found.mailer.path, found.mailer.real) == ("/usr/sbin/sendmail", "/usr/sbin/exim4")
    (timer,) = found.timers
    assert timer.next_elapse == datetime(2026, 11, 24, 22, 58, 37, tzinfo=timezone.utc)
    assert timer.last_trigger is None
    by_timer, by_cron = found.renewers
    assert (by_timer.where, by_timer.command) == ("certbot.timer", "/usr/bin/certbot -q renew")
    assert (by_timer.active, by_timer.vendor, by_timer.ours) == (True, True, False)
    assert (by_cron.where, by_cron.vendor) == ("/etc/cron.d/certbot:3", True)
    assert not by_cron.active  # it stands back where systemd runs
    assert found.unreadable == ()


def test_systemd_is_asked_at_most_three_times(debian: FakeHost) -> None:
    gather.gather(debian)
    assert sum(command[0] == "systemctl" for command in debian.ran) <= 3


def test_this_machine_can_be_looked_at() -> None:
    found = gather.gather(RealHost())
    assert isinstance(found, Facts)
    assert found.system.os_id


def test_a_bare_host_has_nothing_and_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webservers, "listeners", lambda: ((), ("port 80: run as root",)))
    found = gather.gather(FakeHost())
    assert [*found.certbots, *found.lineages, *found.webservers, *found.renewers] == []
    assert (found.system.init, found.system.package_manager) == ("other", "")
    assert not found.cron.installed
    assert found.mailer is None
    assert found.unreadable == ("port 80: run as root",)


def test_os_release_that_is_odd() -> None:
    host = FakeHost(files={"/etc/os-release": b"ID='rhel'\nID_LIKE=\"fedora x\nbad\n=y\n\xff\n"})
    found = system.system(host)
    assert (found.os_id, found.os_like) == ("rhel", ('"fedora', "x"))


def test_a_machine_id_that_is_none() -> None:
    for content in (b"", b"uninitialized\n", b"0123"):
        host = FakeHost(files={"/etc/machine-id": content})
        assert system.system(host).machine_id == ""


@pytest.mark.parametrize(
    ("hosts", "name"),
    [
        ("", "web1"),
        ("127.0.1.1 web1.example.test web1 # us\n", "web1.example.test"),
        ("127.0.1.1 web1 web1.example.test\n", "web1"),
        ("127.0.1.1 other.example.test web1\n", "web1"),
        ("127.0.1.1 web10.example.test web10\n#127.0.1.1 web1.old.test web1\n\xff\n::1", "web1"),
    ],
)
def test_the_name_is_asked_of_no_server(hosts: str, name: str) -> None:
    files = {"/proc/sys/kernel/hostname": b"web1\n", "/etc/hosts": hosts.encode("latin-1")}
    host = FakeHost(files=files)
    assert system.system(host).hostname == name
    assert host.ran == []


def test_certbots_are_each_found_once_and_the_plans_first() -> None:
    host = FakeHost(files={"/opt/certbot/pyvenv.cfg": b""})
    host.program("/opt/certbot/bin/certbot")
    host.program("/usr/bin/certbot")
    host.program("/usr/bin/snap")
    host.links = {
        "/usr/local/bin/certbot": "/opt/certbot/bin/certbot",
        "/snap/bin/certbot": "/usr/bin/snap",
    }
    host.answers = {
        ("/usr/local/bin/certbot", "--version"): Completed((), 0, "", "certbot 5.8.0\n"),
        ("/usr/bin/certbot", "--version"): "Traceback\n",
        ("/snap/bin/certbot", "--version"): "certbot 4.0.0\n",
        ("/opt/certbot/bin/certbot", "--version"): "certbot 5.8.0\n",
    }
    found = certbots.certbots(host)
    assert [(item.path, item.kind, item.version) for item in found] == [
        ("/usr/local/bin/certbot", "pip", "5.8.0"),
        ("/usr/bin/certbot", "other", ""),
        ("/snap/bin/certbot", "snap", "4.0.0"),
    ]
    assert found[0].version_tuple == (5, 8, 0)
    named = certbots.certbots(host, "/opt/certbot/bin/certbot")
    assert named[0].path == "/opt/certbot/bin/certbot"
    assert len(named) == 3


def test_a_snap_linked_to_usr_bin_is_one_certbot() -> None:
    host = FakeHost()
    host.program("/usr/bin/snap")
    host.links = {"/usr/bin/certbot": "/snap/bin/certbot", "/snap/bin/certbot": "/usr/bin/snap"}
    host.answers = {("/usr/bin/certbot", "--version"): "certbot 5.1.0\n"}
    assert certbots.certbots(host) == (CertbotInstall("/usr/bin/certbot", "snap", "5.1.0"),)


def test_an_rpm_is_told_by_its_database() -> None:
    host = FakeHost()
    host.program("/usr/bin/certbot")
    host.answers = {
        ("rpm", "-qf", "/usr/bin/certbot"): "certbot-3.1\n",
        ("/usr/bin/certbot", "--version"): "certbot 3.1.0\n",
    }
    assert certbots.certbots(host) == (CertbotInstall("/usr/bin/certbot", "rpm", "3.1.0"),)


def test_daemons_without_systemd_are_told_by_their_processes() -> None:
    host = FakeHost(files={"/proc/12/comm": b"crond\n", "/proc/self/comm": b"x\n"})
    host.program("/usr/sbin/crond")
    assert daemons.daemon(host, "cron", None).running
    host.files["/proc/12/comm"] = b"other\n"
    found = daemons.daemon(host, "cron", None)
    assert (found.installed, found.running) == (True, False)
    assert not daemons.daemon(host, "cron", {}).running


def test_mail_is_the_second_choice() -> None:
    host = FakeHost()
    host.program("/usr/bin/mailx")
    found = mailers.mailer(host)
    assert found is not None
    assert (found.kind, found.path) == ("mail", "/usr/bin/mailx")
    # The generated scripts look on their PATH alone.
    host.program("/usr/lib/sendmail")
    assert mailers.mailer(host) == found
    host.program("/usr/sbin/sendmail")
    found = mailers.mailer(host)
    assert found is not None
    assert (found.kind, found.path) == ("sendmail", "/usr/sbin/sendmail")


def test_systemd_that_does_not_answer_is_said(debian: FakeHost) -> None:
    refused = Completed((), 1, "", "Failed to connect to bus: No such file or directory\n")
    debian.answers["systemctl", "show"] = refused
    debian.answers = {
        k: v for k, v in debian.answers.items() if k[:3] != ("systemctl", "show", "-p")
    }
    debian.files["/proc/31/comm"] = b"cron\n"
    debian.program("/usr/sbin/cron")
    found = gather.gather(debian)
    assert found.unreadable == (
        "systemd cannot be asked about its units: "
        "Failed to connect to bus: No such file or directory",
    )
    assert (found.cron.installed, found.cron.running, found.timers) == (True, True, ())


def test_a_service_of_several_commands_renews_by_any() -> None:
    host = FakeHost(answers={("systemctl",): SERVICES.split("\n\n")[0] + (
        "\nExecStart={ path=/bin/echo ; argv[]=/bin/echo done ; ignore_errors=no ; }\n"
    )})  # fmt: skip
    service = units.show(host, ["certbot.service"])["certbot.service"]
    assert renewers.is_renewal(service["ExecStart"])
