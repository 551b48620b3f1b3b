"""Sandboxes around what starts our script, set up or at work, and what a boot brings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Status
from certtui.doctor.registry import run_checks
from certtui.host.facts import Service
from certtui.host.interface import Completed
from tests.doctor.support import NOW, facts
from tests.facts.support import FakeHost
from tests.render.support import plan as some_plan

WELL = {
    "LoadState": "loaded",
    "MainPID": "31",
    "User": "",
    "DynamicUser": "no",
    "ProtectSystem": "no",
    "PrivateNetwork": "no",
    "MemoryDenyWriteExecute": "no",
    "RestrictAddressFamilies": "~",
    "IPAddressDeny": "",
    "IPAddressAllow": "",
}
#: backend -> what starts its script, and the finding about it
UNITS = {
    "cron": ("cron.service", "cron.confined"),
    "at-random": ("atd.service", "atd.confined"),
    "systemd-timer": ("certtui-renew.service", "timer.confined"),
}


def said(
    backend: str,
    host: FakeHost | None = None,
    known: dict[str, Any] | None = None,
    /,
    **shown: str,
) -> Finding:
    unit, id = UNITS[backend]
    host = host or FakeHost()
    block = "\n".join(f"{key}={value}" for key, value in {"Id": unit, **WELL, **shown}.items())
    host.answers["systemctl", "show"] = block + "\n"
    made = Context(host, facts(**(known or {})), some_plan(schedule_backend=backend), now=NOW)
    (found,) = run_checks(made, [id])
    return found


@pytest.mark.parametrize("backend", UNITS)
def test_no_sandbox(backend: str) -> None:
    assert said(backend).status is Status.OK
    assert said(backend, DropInPaths="/x.conf", ProtectSystem="yes").status is Status.OK


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("User", "www-data"),
        ("DynamicUser", "yes"),
        ("RootDirectory", "/srv/jail"),
        ("PrivateNetwork", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("RestrictAddressFamilies", "AF_UNIX AF_NETLINK"),
        ("CapabilityBoundingSet", "cap_net_bind_service"),
        ("CapabilityBoundingSet", ""),
        ("IPAddressDeny", "0.0.0.0/0 ::/0"),
        ("ProtectSystem", "full"),
        ("ProtectSystem", "strict"),
        ("ReadOnlyPaths", "/usr -/etc"),
        ("InaccessiblePaths", "/var/lib/certtui"),
        ("TemporaryFileSystem", "/var:ro"),
        ("NoExecPaths", "/usr/local"),
    ],
)
@pytest.mark.parametrize("backend", UNITS)
def test_what_keeps_certbot_from_its_work(backend: str, name: str, value: str) -> None:
    unit, id = UNITS[backend]
    found = said(backend, DropInPaths=f"/etc/systemd/system/{unit}.d/x.conf", **{name: value})
    assert (found.id, found.status) == (id, Status.FAIL)
    assert f"{name}={value}" in found.evidence
    assert found.fix is not None
    assert (found.fix.argv, found.fix.safe) == (("systemctl", "revert", unit), False)


@pytest.mark.parametrize(
    ("shown", "mended"),
    [
        ({}, False),  # the vendor's own unit
        ({"DropInPaths": "/usr/lib/systemd/system/cron.service.d/x.conf"}, False),
        ({"DropInPaths": "/etc/systemd/system/service.d/x.conf"}, False),  # of every service
        ({"DropInPaths": "/run/systemd/system/cron.service.d/x.conf"}, True),
        ({"FragmentPath": "/etc/systemd/system/cron.service"}, True),
    ],
)
def test_what_systemctl_revert_takes_away(shown: dict[str, str], mended: bool) -> None:
    found = said("cron", PrivateNetwork="yes", **shown)
    assert (found.status, found.fix is not None) == (Status.FAIL, mended)


@pytest.mark.parametrize(
    "shown",
    [
        {"ReadOnlyPaths": "/etc/ssl /srv"},
        {"RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX"},
        {"RestrictAddressFamilies": "~AF_PACKET"},
        {"IPAddressDeny": "0.0.0.0/0 ::/0", "IPAddressAllow": "0.0.0.0/0 ::/0"},
        {"IPAddressDeny": "10.0.0.0/8"},
        {"ProtectSystem": "full", "ReadWritePaths": "/etc/letsencrypt"},
        {
            "ProtectSystem": "strict",
            "ReadWritePaths": "-/etc/letsencrypt /var/lib /var/log/letsencrypt",
        },
    ],
)
def test_what_leaves_certbot_its_folders_and_the_network(shown: dict[str, str]) -> None:
    assert said("cron", **shown).status is Status.OK


def test_ours_is_looked_at_where_a_drop_in_changed_it() -> None:
    """An edited unit file is for drift.content."""
    assert said("systemd-timer", User="www-data").status is Status.OK


def test_a_daemon_that_runs_in_a_sandbox_its_unit_no_longer_has() -> None:
    host = FakeHost(files={"/etc/letsencrypt/x": b"", "/var/lib/certtui/x": b""})
    host.files["/proc/self/mounts"] = b"/dev/sda1 / ext4 rw 0 0\n"
    host.files["/proc/31/mounts"] = b"/dev/sda1 / ext4 rw 0 0\n/dev/sda1 /etc ext4 ro 0 0\n"
    found = said("cron", host)
    assert found.status is Status.FAIL
    assert "/etc/letsencrypt is read-only for it (/proc/31/mounts: /etc)" in found.message
    assert found.fix is not None
    assert found.fix.argv == ("systemctl", "restart", "cron.service")
    # Where all the host's are read-only it is not the sandbox.
    host.files["/proc/self/mounts"] = host.files["/proc/31/mounts"]
    assert said("cron", host).status is Status.OK


def test_without_systemd_there_is_no_sandbox_of_its() -> None:
    found = said("cron", None, {"cron": Service("cron", True, running=True)})
    assert found.status is Status.SKIP


# ---- what a boot brings ----------------------------------------------------------------------

TREE = "default.target\n  multi-user.target\n    basic.target\n      timers.target\n"


def boot(
    backend: str, tree: str = TREE, masked: str = "", default: str = "graphical.target"
) -> list[Finding]:
    host = FakeHost()
    host.answers["systemctl", "list-dependencies"] = tree
    states = {"timers.target": "loaded", "multi-user.target": "loaded"}
    blocks = [
        f"Id={name}\nNames={name}\nLoadState={'masked' if name == masked else state}\n"
        for name, state in states.items()
    ]
    blocks.append(f"Id={default}\nNames={default} default.target\nLoadState=loaded\n")
    host.answers["systemctl", "show"] = "\n".join(blocks)
    made = Context(host, facts(), some_plan(schedule_backend=backend), now=NOW)
    return list(run_checks(made, ["boot.target"]))


@pytest.mark.parametrize("backend", UNITS)
def test_a_boot_that_brings_everything(backend: str) -> None:
    (found,) = boot(backend)
    assert found.status is Status.OK


def test_a_target_that_is_the_default_itself() -> None:
    (found,) = boot("cron", "default.target\n  basic.target\n", default="multi-user.target")
    assert found.status is Status.OK


@pytest.mark.parametrize("backend", UNITS)
def test_a_default_target_that_brings_nothing_of_it(backend: str) -> None:
    (found,) = boot(backend, "default.target\n  sysinit.target\n", default="rescue.target")
    assert (found.id, found.status) == ("boot.target", Status.FAIL)
    assert "rescue.target" in found.evidence
    assert found.fix is not None
    assert found.fix.argv == ("systemctl", "set-default", "multi-user.target")


def test_a_masked_target() -> None:
    (found,) = boot("systemd-timer", masked="timers.target")
    assert (found.subject, found.status) == ("timers.target", Status.FAIL)
    assert found.fix is not None
    assert found.fix.argv == ("systemctl", "unmask", "timers.target")
    (found,) = boot("cron", masked="timers.target")
    assert found.status is Status.OK


def test_a_systemctl_that_does_not_tell() -> None:
    host = FakeHost()
    argv = ("systemctl", "list-dependencies")
    host.answers[argv] = Completed(argv, 1, "", "Failed to connect to bus")
    made = Context(host, facts(), some_plan(), now=NOW)
    (found,) = run_checks(made, ["boot.target"])
    assert (found.status, "Failed to connect" in found.message) == (Status.SKIP, True)
    plain = facts()
    without = replace(made, facts=replace(plain, system=replace(plain.system, init="other")))
    (found,) = run_checks(without, ["boot.target"])
    assert found.status is Status.SKIP
