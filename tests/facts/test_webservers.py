"""Web servers: who listens, what is stopped, what is whose."""

from __future__ import annotations

import os
import socket
import sys

import psutil
import pytest

from certtui.host import (
    webservers,
)
from certtui.host.webservers import Listener
from tests.facts.support import FakeHost


def test_stopped_and_foreign_web_servers() -> None:
    host = FakeHost(files={"/proc/9/cgroup": b"1:name=systemd:/system.slice/caddy.service\n"})
    host.program("/usr/sbin/nginx")
    host.program("/usr/sbin/apache2")
    units = {
        "apache2.service": {"ActiveState": "active"},
        "nginx.service": {"ActiveState": "inactive"},
    }
    found = webservers.webservers(host, [Listener(443, 9, "caddy", "/usr/bin/caddy")], units)
    assert [(item.kind, item.unit, item.running, item.ports) for item in found] == [
        ("other", "caddy.service", True, (443,)),
        ("apache", "apache2.service", True, ()),
        ("nginx", "nginx.service", False, ()),
    ]


def test_a_server_that_restarts_meanwhile_keeps_its_unit() -> None:
    """Its process was seen to listen, but was gone before its control group was read."""
    units = {"apache2.service": {"ActiveState": "deactivating"}}
    gone = Listener(443, 9, "apache2", "/usr/sbin/apache2")
    (found,) = webservers.webservers(FakeHost(), [gone], units)
    assert (found.unit, found.ports) == ("apache2.service", (443,))
    started_by_hand = FakeHost(files={"/proc/9/cgroup": b"0::/user.slice/session-1.scope\n"})
    (found,) = webservers.webservers(started_by_hand, [gone], units)
    assert found.unit == ""
    assert webservers.webservers(FakeHost(), [gone], None)[0].unit == ""


def test_web_servers_without_systemd_are_told_by_their_processes() -> None:
    host = FakeHost(files={"/proc/12/comm": b"nginx\n"})
    host.program("/usr/sbin/nginx")
    assert webservers.webservers(host, [], None)[0].running
    host.files["/proc/12/comm"] = b"sh\n"
    assert not webservers.webservers(host, [], None)[0].running


@pytest.mark.parametrize(
    ("program", "path", "kind"),
    [
        ("httpd", "/usr/sbin/httpd", "apache"),
        ("httpd-prefork", "/usr/sbin/httpd-prefork", "apache"),
        ("httpd", "/bin/busybox", "other"),
        ("lighttpd", "/usr/sbin/lighttpd", "other"),
    ],
)
def test_which_programs_are_apache(program: str, path: str, kind: str) -> None:
    (found,) = webservers.webservers(FakeHost(), [Listener(80, 9, program, path)], None)
    assert found.kind == kind


def test_a_kernel_that_tells_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(kind: str) -> list[object]:
        raise FileNotFoundError(2, "No such file or directory", "/proc/net/tcp")

    monkeypatch.setattr(psutil, "net_connections", missing)
    found, (sentence,) = webservers.listeners()
    assert found == ()
    assert sentence.startswith("who listens on ports 80 and 443 cannot be seen")


def test_who_listens_is_asked_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        monkeypatch.setattr(webservers, "PORTS", (port,))
        found, hidden = webservers.listeners()
    (ours,) = found
    assert (ours.port, ours.pid, hidden) == (port, os.getpid(), ())
    assert ours.path == os.path.realpath(sys.executable)


def test_a_users_own_server_has_no_unit_of_the_system() -> None:
    host = FakeHost(
        files={"/proc/9/cgroup": b"0::/user.slice/user@1000.service/app.slice/x.service\n"}
    )
    (found,) = webservers.webservers(host, [Listener(80, 9, "nginx")], None)
    assert (found.unit, found.program) == ("", "nginx")
