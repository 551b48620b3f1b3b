"""Clock, disk, hooks, certbot, its configuration file, and certtui's own notes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Status
from certtui.doctor.registry import run_checks
from certtui.host.facts import CertbotInstall
from certtui.host.interface import Completed, RealHost, Space
from certtui.render.build import render
from tests.doctor.support import LOG, NOW, SCRIPT, Applied, bad, context, facts
from tests.facts.support import FakeHost
from tests.render.support import plan as some_plan

FAIL, WARN, OK, SKIP = Status.FAIL, Status.WARN, Status.OK, Status.SKIP

LETSENCRYPT = "/etc/letsencrypt"
HOOKS = f"{LETSENCRYPT}/renewal-hooks"
MOUNTS = "/proc/self/mounts"
NOTES = "/var/lib/certtui"
WORK = "/var/lib/letsencrypt"


@pytest.fixture
def cron(tmp_path: Path) -> Applied:
    return Applied(tmp_path, "cron", facts())


def look(host: FakeHost, group: str, **changes: Any) -> list[Finding]:
    """Of a host with a plan of which nothing else is known."""
    made = Context(host, facts(**changes), some_plan(schedule_backend="cron"), now=NOW)
    return list(run_checks(made, [group]))


def one(host: FakeHost, group: str, **changes: Any) -> Finding:
    """The worst thing that is said."""
    order = [OK, SKIP, WARN, FAIL, Status.CRASH]
    return max(look(host, group, **changes), key=lambda found: order.index(found.status))


def argv(finding: Finding) -> tuple[str, ...]:
    assert finding.fix is not None
    return finding.fix.argv


# ---- clock ---------------------------------------------------------------------------------------

SYNC = ("timedatectl", "show")


@pytest.mark.parametrize(
    ("said", "status", "fix"),
    [
        (
            "NTPSynchronized=yes\nNTP=no\nCanNTP=no\n",
            OK,
            None,
        ),  # by chrony, or by the machine below
        (
            "NTPSynchronized=no\nNTP=no\nCanNTP=yes\n",
            WARN,
            ("timedatectl", "set-ntp", "true"),
        ),
        (
            "NTPSynchronized=no\nNTP=no\nCanNTP=no\n",
            WARN,
            ("apt-get", "install", "-y", "systemd-timesyncd"),
        ),
        ("NTPSynchronized=no\nNTP=yes\nCanNTP=yes\n", WARN, None),
    ],
)
def test_what_keeps_the_clock(said: str, status: Status, fix: tuple[str, ...] | None) -> None:
    host = FakeHost(files={"/proc/uptime": b"86400.0 3.0\n"}, answers={SYNC: said})
    found = one(host, "clock")
    assert (found.id, found.status) == ("clock.synchronised", status)
    assert (found.fix.argv if found.fix else None) == fix


def test_a_host_that_has_just_started_may_wait_for_its_first_answer() -> None:
    files = {"/proc/uptime": b"61.5 3.0\n"}
    host = FakeHost(files=files, answers={SYNC: "NTPSynchronized=no\nNTP=yes\n"})
    assert one(host, "clock").status is SKIP


@pytest.mark.parametrize(
    ("command", "said", "status"),
    [
        (("chronyc",), "Stratum : 3\nLeap status     : Normal\n", OK),
        (("chronyc",), "Stratum : 0\nLeap status     : Not synchronised\n", WARN),
        (("ntpq",), "leap=00\n", OK),
        (("ntpq",), "leap=11\n", WARN),
        (("true",), "", SKIP),
    ],
)
def test_without_timedatectl(command: tuple[str, ...], said: str, status: Status) -> None:
    assert one(FakeHost(answers={command: said}), "clock").status is status


@pytest.mark.parametrize(
    ("files", "answers", "kind"),
    [
        ({"/run/systemd/container": b"lxc\n"}, {}, "lxc"),
        ({"/proc/1/environ": b"PATH=/bin\0container=podman\0"}, {}, "podman"),
        ({"/.dockerenv": b""}, {}, "docker"),
        ({}, {("systemd-detect-virt",): "openvz\n"}, "openvz"),
    ],
)
def test_the_clock_of_a_container_is_not_its_own(
    files: dict[str, bytes], answers: dict[tuple[str, ...], str], kind: str
) -> None:
    found = one(FakeHost(files=files, answers={SYNC: "NTPSynchronized=no\n", **answers}), "clock")
    assert found.status is SKIP
    assert f"({kind})" in found.message


def test_no_container_is_no_container() -> None:
    none = Completed(("systemd-detect-virt",), 1, "none\n", "")
    host = FakeHost(answers={("systemd-detect-virt",): none, SYNC: "NTPSynchronized=yes\n"})
    assert one(host, "clock").status is OK


def ahead(hours: float) -> str:
    return f"{NOW + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ} cron ok 3 \n"


@pytest.mark.parametrize(
    ("runs", "behind"),
    [
        (ahead(-3), False),
        (ahead(0.1), False),
        (ahead(5), True),
        (ahead(-3) + ahead(5) + "junk\n", True),
        # It was ahead then, and has been put right.
        (ahead(5) + ahead(-3), False),
    ],
)
def test_a_clock_that_is_earlier_than_the_last_run(cron: Applied, runs: str, behind: bool) -> None:
    cron.write(LOG, runs)
    found = {id for id in bad(cron) if id != "runs.damaged"}
    assert found == ({"clock.behind"} if behind else set())


def test_a_clock_that_is_earlier_than_the_last_apply(cron: Applied) -> None:
    cron.applied = timedelta(hours=-2)
    assert "state.json" in bad(cron)["clock.behind"].message


# ---- disk ----------------------------------------------------------------------------------------

MB = 10**6
ROOM = Space(1, 20_000 * MB, 9_000 * MB, 1_000_000, 900_000)


def disks(**changes: Space) -> FakeHost:
    """A host whose file systems are given by the last word of a folder that lies on them."""
    folders = (LETSENCRYPT, "/var/log/letsencrypt", WORK, NOTES, "/tmp")
    spaces = {path: changes.get(path.rpartition("/")[2], ROOM) for path in folders}
    return FakeHost(spaces=spaces)


@pytest.mark.parametrize(
    ("space", "id"),
    [
        (Space(2, 20_000 * MB, 9 * MB, 1_000_000, 900_000), "disk.room"),
        (Space(2, 20_000 * MB, 9_000 * MB, 1_000_000, 99), "disk.room"),
        (Space(2, 20_000 * MB, 99 * MB, 1_000_000, 900_000), "disk.low"),
        (Space(2, 20_000 * MB, 199 * MB, 1_000_000, 900_000), "disk.low"),  # below 1 %
        (Space(2, 20_000 * MB, 9_000 * MB, 1_000_000, 999), "disk.low"),
        (Space(2, 9_000_000 * MB, 1_001 * MB, 0, 0), ""),  # btrfs counts no inodes
        (Space(2, 9_000_000 * MB, 999 * MB, 0, 0), "disk.low"),
        (Space(2, 40 * MB, 11 * MB, 2000, 1900), ""),  # a small one with room
        (Space(2, 40 * MB, 11 * MB, 2000, 190), "disk.low"),
        (Space(2, 4 * MB, 1 * MB, 0, 0), "disk.room"),  # too small, however empty
        (Space(2, 8 * MB, 7 * MB, 2000, 1900), "disk.room"),
        (Space(2, 40 * MB, 30 * MB, 99, 99), "disk.room"),
        (Space(2, 8 * MB, 0, 2000, 1900), "disk.room"),
        (Space(2, 0, 0, 0, 0), ""),  # a file system that does not count
    ],
)
def test_room_for_a_renewal(space: Space, id: str) -> None:
    found = [item for item in look(disks(tmp=space), "disk") if item.status in (WARN, FAIL)]
    assert [(item.id, item.subject) for item in found] == ([(id, "/tmp")] if id else [])


def test_a_full_disk_is_told_once() -> None:
    full = replace(ROOM, free=0)
    host = FakeHost(spaces=dict.fromkeys(disks().spaces, full))
    (found,) = [item for item in look(host, "disk") if item.status is FAIL]
    assert found.subject == f"{LETSENCRYPT}, /var/log/letsencrypt, {WORK}, {NOTES}, /tmp"
    assert "no room for certificates, certbot's log" in found.message


def test_what_is_left_on_this_machine() -> None:
    real = RealHost().space("/no/such/folder")
    assert real is not None
    assert 0 < real.free <= real.total
    assert real.device == RealHost().space("/").device  # type: ignore[union-attr]


def mounted(*rows: str) -> bytes:
    return "".join(f"{row} 0 0\n" for row in ("/dev/sda1 / ext4 rw,relatime", *rows)).encode()


@pytest.mark.parametrize(
    ("rows", "subjects"),
    [
        ((), []),
        (("/dev/b /var/log ext4 ro",), ["/var/log/letsencrypt"]),
        (("/dev/b /etc ext4 ro", "/dev/c /var/log ext4 ro"), [LETSENCRYPT, "/var/log/letsencrypt"]),
        # Of the file system of certtui's own folder mount.read-only tells.
        (("/dev/b /var ext4 ro",), []),
    ],
)
def test_folders_that_cannot_be_written(rows: tuple[str, ...], subjects: list[str]) -> None:
    host = FakeHost(files={MOUNTS: mounted(*rows), f"{NOTES}/x": b"", f"{HOOKS}/x": b""})
    host.files["/var/log/letsencrypt/letsencrypt.log"] = b""
    found = [item for item in look(host, "disk.read-only") if item.status is FAIL]
    assert [item.subject for item in found] == subjects
    assert all(argv(item)[:3] == ("mount", "-o", "remount,rw") for item in found)


def test_a_webroot_that_cannot_be_written() -> None:
    host = FakeHost(
        files={"/srv/www/a/index.html": b"", "/srv/b/.well-known/acme-challenge/x": b""}
    )
    host.links["/var/www/a"] = "/srv/www/a"
    rows = ["/dev/b /srv/www ext4 ro", "/dev/c /srv/b/.well-known ext4 ro", "/dev/d /snap/x q ro"]
    host.files[MOUNTS] = mounted(*rows)
    roots = ("/var/www/a", "/srv/b", "/srv/gone")
    lineage = replace(facts().lineages[0], webroots=roots)
    found = [item for item in look(host, "disk", lineages=(lineage,)) if item.status is FAIL]
    assert {item.id for item in found} == {"disk.read-only"}
    assert [argv(item)[-1] for item in found] == ["/srv/b/.well-known", "/srv/www"]
    assert "answers to the CA cannot be written" in found[0].message
    # One that is not renewed needs none.
    off = replace(lineage, autorenew=False)
    assert [item for item in look(host, "disk", lineages=(off,)) if item.status is FAIL] == []


@pytest.mark.parametrize("path", ["/var/log/letsencrypt", WORK])
def test_a_folder_of_certbot_that_is_none(path: str) -> None:
    host = FakeHost(links={path: "/srv/gone"})
    found = one(host, "disk")
    assert (found.id, found.status, found.subject) == ("disk.not-a-folder", FAIL, path)
    assert "a link to /srv/gone, which is not there" in found.message
    assert argv(found) == ("mv", path, f"{path}.aside")
    assert found.fix is not None
    assert not found.fix.safe
    host.files[f"{path}.aside"] = b""
    assert one(host, "disk").fix is None
    host.files["/srv/gone/x"] = b""
    assert one(host, "disk").status is not FAIL
    assert "is a file" in one(FakeHost(files={path: b""}), "disk").message


# ---- hooks ---------------------------------------------------------------------------------------

OWN = f"{HOOKS}/deploy/own"


def hook(content: bytes, path: str = OWN, mode: int = 0o755) -> FakeHost:
    host = FakeHost(files={path: content})
    host.modes[path] = mode
    host.program("/bin/sh")
    host.program("/usr/bin/env")
    host.program("/usr/bin/python3")
    return host


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        (b"#!/bin/sh\ntrue\n", ""),
        (b"#! /bin/sh -e\n", ""),
        (b"systemctl reload nginx\n", ""),  # sh runs it
        (b"", ""),
        (b"\x7fELF\x00", ""),
        (b"#!/usr/bin/env python3\n", ""),
        (b"#!/usr/bin/env -S PYTHONUTF8=1 python3 -I\n", ""),
        (b"#!/usr/bin/bash\n", "/usr/bin/bash"),
        (b"#!/usr/bin/env ruby\n", "ruby"),
        (b"#!", ""),
    ],
)
def test_the_interpreter_of_a_hook(content: bytes, missing: str) -> None:
    found = one(hook(content), "hooks")
    assert found.id == ("hooks.interpreter" if missing else "hooks.run")
    assert (f"run by {missing}, which is not there" in found.message) is bool(missing)


def test_a_hook_from_windows() -> None:
    found = one(hook(b"#!/bin/sh\r\ntrue\r\n"), "hooks")
    assert (found.id, found.status) == ("hooks.interpreter", FAIL)
    assert argv(found) == ("sed", "-i", r"s/\r$//", OWN)


def test_our_hook_from_windows_is_an_edited_file(cron: Applied) -> None:
    path = cron.path(f"{HOOKS}/post/certtui-reload")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert set(bad(cron)) == {"drift.content"}


@pytest.mark.parametrize(
    ("path", "id", "fix"),
    [
        (f"{OWN}~", "hooks.tilde", ("mv", f"{OWN}~", OWN)),
        (
            "/var/letsencrypt/renewal-hooks/post/own",
            "hooks.wrong-folder",
            ("mv", "/var/letsencrypt/renewal-hooks/post/own", f"{HOOKS}/post/own"),
        ),
        (f"{HOOKS}/own.sh", "hooks.wrong-folder", None),
        (
            f"{HOOKS}/deploy/example.org/own",
            "hooks.wrong-folder",
            ("mv", f"{HOOKS}/deploy/example.org/own", f"{HOOKS}/deploy/own"),
        ),
        (f"{HOOKS}/README~", "hooks.run", None),
        (f"{HOOKS}/renew/own", "hooks.wrong-folder", ("mv", f"{HOOKS}/renew/own", OWN)),
        (f"{HOOKS}/Deploy/own", "hooks.wrong-folder", ("mv", f"{HOOKS}/Deploy/own", OWN)),
        (f"{HOOKS}/deploy.d/own", "hooks.wrong-folder", ("mv", f"{HOOKS}/deploy.d/own", OWN)),
        (
            f"{HOOKS}/POST-hooks/own",
            "hooks.wrong-folder",
            ("mv", f"{HOOKS}/POST-hooks/own", f"{HOOKS}/post/own"),
        ),
        (f"{HOOKS}/nginx/own", "hooks.wrong-folder", None),
        (f"{HOOKS}/deploy.disabled/own", "hooks.run", None),
        (f"{HOOKS}/.git/own", "hooks.run", None),
        (f"{HOOKS}/renew/own.bak", "hooks.run", None),
    ],
)
def test_hooks_that_are_passed_over(path: str, id: str, fix: tuple[str, ...] | None) -> None:
    found = one(hook(b"#!/bin/sh\n", path), "hooks")
    assert found.id == id
    assert (found.fix.argv if found.fix else None) == fix


@pytest.mark.parametrize("by", ["text", "link"])
def test_what_a_hook_starts_may_be_in_a_folder_of_its_own(by: str) -> None:
    host = hook(b"#!/bin/sh\n", f"{HOOKS}/scripts/own")
    if by == "text":
        host.program(OWN, b'#!/bin/sh\nexec "$(dirname "$0")/../scripts/own"\n')
    else:
        host.links[OWN] = f"{HOOKS}/scripts/own"
    assert one(host, "hooks").status is OK


@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("own", True),
        ("own.sh", True),
        ("readme-mail", False),
        ("README", False),
        ("README.en", False),
        ("notes.txt", False),
        ("own.sh.disabled", False),
        ("own.OFF", False),
        ("own.bak", False),
        ("own.dpkg-old", False),
        ("own.example", False),
        (".gitignore", False),
    ],
)
def test_a_file_without_the_right_to_be_run(name: str, warned: bool) -> None:
    found = one(hook(b"#!/bin/sh\n", f"{HOOKS}/deploy/{name}", 0o644), "hooks")
    assert found.id == ("hooks.not-executable" if warned else "hooks.run")
    if warned:
        assert found.status is WARN
        assert found.fix is not None
        assert not found.fix.safe  # it would run what somebody may have switched off


def test_an_editors_copy_is_to_be_passed_over() -> None:
    host = hook(b"#!/bin/sh\n")
    host.files[f"{OWN}~"] = b"#!/bin/sh\n"
    assert one(host, "hooks").status is OK


def test_a_hook_is_not_moved_over_another() -> None:
    wrong = "/var/letsencrypt/renewal-hooks/deploy/own"
    host = hook(b"#!/bin/sh\n", wrong)
    host.files[OWN] = b"#!/bin/sh\n"
    host.modes[OWN] = 0o755
    found = one(host, "hooks")
    assert found.fix is None
    assert "which there is too" in found.message


def test_a_folder_where_a_file_is_to_be_is_not_a_hook() -> None:
    host = hook(b"text", f"{HOOKS}/deploy/notes/readme.txt", 0o644)
    assert one(host, "hooks").status is OK


def test_a_file_where_a_folder_of_hooks_is_to_be() -> None:
    found = one(FakeHost(files={f"{HOOKS}/pre": b""}), "hooks")
    assert (found.id, found.status) == ("hooks.no-folder", FAIL)


def test_no_hook_runs_from_a_file_system_mounted_noexec() -> None:
    host = hook(b"#!/bin/sh\n")
    host.files[MOUNTS] = mounted("/dev/b /etc ext4 rw,noexec")
    host.files[f"{HOOKS}/deploy/other~"] = b""  # one cause is enough
    (found,) = look(host, "hooks")
    assert (found.id, argv(found)) == ("hooks.noexec", ("mount", "-o", "remount,exec", "/etc"))


# ---- certbot -------------------------------------------------------------------------------------

DEB = CertbotInstall("/usr/bin/certbot", "deb", "2.1.0")
PIP = CertbotInstall("/usr/local/bin/certbot", "pip", "2.11.0")


def test_a_certbot_in_pieces_says_why() -> None:
    text = 'Traceback (most recent call last):\n  File "x"\nModuleNotFoundError: No module josepy\n'
    host = FakeHost(answers={("/usr/bin/certbot",): Completed(("certbot",), 1, "", text)})
    found = one(host, "certbot", certbots=(replace(DEB, version=""),))
    assert (found.id, found.status) == ("certbot.no-version", FAIL)
    assert found.message.endswith("ModuleNotFoundError: No module josepy")
    assert "(exit 1)" in found.evidence
    assert "--reinstall" in argv(found)


@pytest.mark.parametrize(
    ("mode", "id"), [(0o600, "certbot.not-executable"), (None, "certbot.found")]
)
def test_a_certbot_that_may_not_be_started_is_not_missing(mode: int | None, id: str) -> None:
    host = FakeHost()
    if mode is not None:
        host.files["/usr/bin/certbot"] = b""
        host.modes["/usr/bin/certbot"] = mode
    (found,) = [item for item in look(host, "certbot", certbots=()) if item.status is FAIL]
    assert found.id == id
    if mode is not None:
        assert argv(found) == ("chmod", "0755", "/usr/bin/certbot")
        assert "mode 0600" in found.evidence


def test_what_a_program_prints_stays_a_sentence() -> None:
    host = FakeHost(
        answers={("/usr/bin/certbot",): Completed(("certbot",), 1, "", "a\n" + "x" * 5000)}
    )
    found = one(host, "certbot", certbots=(replace(DEB, version=""),))
    assert len(found.message) < 250
    line = f"{'k' * 5000} = 1\n".encode()
    assert len(one(FakeHost(files={INI: line}), "certbot").message) < 150


@pytest.mark.parametrize(
    ("version", "id"),
    [("0.28.0", "certbot.too-old"), ("0.30.0", "certbot.found"), ("5.8.0", "certbot.found")],
)
def test_a_certbot_that_does_not_know_our_options(version: str, id: str) -> None:
    assert id in {
        item.id for item in look(FakeHost(), "certbot", certbots=(replace(DEB, version=version),))
    }


def test_a_second_certbot_is_told_once(cron: Applied) -> None:
    """``auto`` means the new one from now on, and the scripts still start the old one."""
    both = facts(certbots=(PIP, DEB))
    rendered = render(cron.plan, both, plan_text=b"version = 1\n")
    made = replace(context(cron, both), rendered=rendered)
    found = [item for item in run_checks(made) if item.status in (WARN, FAIL)]
    assert [item.id for item in found] == ["certbot.several"]
    assert found[0].subject == "/usr/bin/certbot"
    # An edited script is an edited script, however many certbots there are.
    cron.write(SCRIPT, "#!/bin/sh\n")
    found = [item for item in run_checks(made) if item.status in (WARN, FAIL)]
    assert [item.id for item in found] == ["certbot.several", "drift.content"]


def test_without_a_certbot_the_scripts_are_not_edited_ones(cron: Applied) -> None:
    """Rendered now they would have no path of it."""
    none = facts(certbots=())
    rendered = render(cron.plan, none, plan_text=b"version = 1\n")
    made = replace(context(cron, none), rendered=rendered)
    found = [item for item in run_checks(made) if item.status in (WARN, FAIL)]
    assert [item.id for item in found] == ["certbot.found"]


# ---- cli.ini -------------------------------------------------------------------------------------

INI = f"{LETSENCRYPT}/cli.ini"

DEBIAN = """\
# Because we are using logrotate for greater flexibility, disable the
# internal certbot logrotation.
max-log-backups = 0
preconfigured-renewal = True
"""


@pytest.mark.parametrize(
    ("lines", "id"),
    [
        ("", ""),
        ("deploy-hook = systemctl reload nginx  # all of them", ""),
        ("no-directory-hooks = true", "certbot.ini-no-hooks"),
        ("no-directory-hooks", "certbot.ini-no-hooks"),
        ("--no-directory-hooks: yes", "certbot.ini-no-hooks"),
        ('no-directory-hooks "1" ; off', "certbot.ini-no-hooks"),
        ("no-directory-hooks = false", ""),
        ("no-directory-hooks = true\nno-directory-hooks = false", ""),
        ("# no-directory-hooks = true", ""),
        ("[a]\n--- b\n; c", ""),
        ("dry-run = True", "certbot.ini-test"),
        ("staging", "certbot.ini-test"),
        ("test-cert = yes", "certbot.ini-test"),
        ("test-cert = no", ""),
        ("directory-hooks = false", "certbot.ini-refused"),
        ("no_directory_hooks = true", "certbot.ini-refused"),
        ("= true", "certbot.ini-refused"),
        ("force-renewal = true", "certbot.ini"),
        ("force-renewal = false", ""),
        ("server = https://acme.example.org/dir", "certbot.ini"),
        ("config-dir = /srv/certs", "certbot.ini"),
    ],
)
def test_what_clis_ini_does_to_a_renewal(lines: str, id: str) -> None:
    found = one(FakeHost(files={INI: f"{DEBIAN}{lines}\n".encode()}), "certbot")
    assert found.id == (id or "certbot.found")
    assert found.status is (OK if not id else WARN if id == "certbot.ini" else FAIL)
    if id and not lines.startswith("="):
        assert argv(found)[:3] == ("sed", "-i", "-E")


def test_the_file_of_roots_own_folder_is_read_too() -> None:
    own = "/root/.config/letsencrypt/cli.ini"
    found = one(FakeHost(files={INI: DEBIAN.encode(), own: b"dry-run\n"}), "certbot")
    assert (found.id, found.subject) == ("certbot.ini-test", f"{own}:1")


def test_the_mend_takes_out_that_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "cli.ini"
    keep = f"{DEBIAN}no-directory-hooks-of-mine = x\n# no-directory-hooks = true\n"
    path.write_text(f"  --no-directory-hooks = true\n{keep}no-directory-hooks\n")
    found = one(FakeHost(files={INI: path.read_bytes()}), "certbot")
    done = RealHost().run([*argv(found)[:-1], str(path)])
    assert done.ok, done.text
    assert path.read_text() == keep


# ---- notes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "id"),
    [
        ("mail-state", b"failing=1764000000\nmailed=\nlocked=\n", ""),
        ("mail-state", b"failing=1764000000\nmailed=tomorrow\n", "state.mail"),
        ("mail-state", b"\x00\xff\n", "state.mail"),
        ("last-mail", b"2026-03-02T10:00:00Z sent [certtui] web1: renewal failed\n", ""),
        ("last-mail", b"2026-03-02T10:00:00Z sent \n", ""),
        ("last-mail", b"2026-13-02T10:00:00Z sent x\n", "state.last-mail"),
        ("last-mail", b"", "state.last-mail"),
    ],
)
def test_notes_that_mean_nothing(cron: Applied, name: str, content: bytes, id: str) -> None:
    path = f"{NOTES}/{name}"
    cron.path(path).write_bytes(content)
    found = bad(cron)
    assert set(found) == ({id} if id else set())
    if id:
        fix = found[id].fix
        assert fix is not None
        assert (fix.argv, fix.safe) == (("rm", path), True)


@pytest.mark.parametrize("content", [b"junk", None])
def test_a_journal_that_cannot_be_ended(cron: Applied, content: bytes | None) -> None:
    current = cron.path(f"{NOTES}/journal/current")
    current.mkdir()
    if content is not None:
        (current / "intent.json").write_bytes(content)
    found = bad(cron)
    assert set(found) == {"state.journal"}
    assert argv(found["state.journal"])[:2] == ("mv", f"{NOTES}/journal/current")


def test_one_that_is_being_ended_is_no_damage(cron: Applied) -> None:
    whole = next(cron.path(f"{NOTES}/journal").iterdir())
    whole.rename(whole.with_name("current"))
    assert bad(cron) == {}


def test_the_record_is_moved_aside_only_where_that_helps(cron: Applied) -> None:
    state = f"{NOTES}/state.json"
    newer = cron.path(state).read_text().replace('"schema_version": 1', '"schema_version": 99')
    cron.write(state, newer)
    assert bad(cron)["drift.state"].fix is None
    cron.write(state, "{")
    assert argv(bad(cron)["drift.state"]) == ("mv", state, f"{state}.damaged")
    cron.path(state).rename(cron.path(f"{state}.damaged"))
    assert bad(cron) == {}
