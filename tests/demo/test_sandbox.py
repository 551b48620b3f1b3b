"""A sandbox gives what it promises: real certificates that a real dry run renews."""

from __future__ import annotations

import datetime
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from certtui.demo import ca, guard, isolated_certbot
from certtui.demo import sandbox as module
from certtui.demo.guarded import DemoError, GuardedFolder
from certtui.demo.sandbox import NAMES, Sandbox, Step, find_certbot
from certtui.errors import CertbotMissing, ExitCode
from certtui.plan.values import absolute_path

from .support import CHECKOUT, Hold, gone, need, processes, wait_for


def test_both_certificates_in_good_time(sandbox: Sandbox) -> None:
    from cryptography import x509

    now = datetime.datetime.now(datetime.timezone.utc)
    for name in NAMES:
        pem = (sandbox.root / "etc/letsencrypt/live" / name / "cert.pem").read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [name]
        left = certificate.not_valid_after_utc - now
        assert 89 <= left.days <= 90
    assert sandbox.steps[-1].seconds < 20


def test_the_steps_tell_what_happened(sandbox: Sandbox) -> None:
    kinds = [step.kind for step in sandbox.steps]
    each = ["requesting", "certificate"]
    assert kinds == ["folder", "starting", "server", *each, *each]
    assert sandbox.steps[2].text.startswith(sandbox.server)


def test_only_pebble_claims_to_validate(sandbox: Sandbox, authority: str) -> None:
    assert sandbox.validates is (authority == "pebble")


@pytest.mark.parametrize("authority", ["pebble"], indirect=True)
def test_pebble_really_looks(sandbox: Sandbox) -> None:
    elsewhere = ["--http-01-port", str(ca.free_port())]
    done = sandbox.run_certbot(*sandbox.dry_run(NAMES[0])[len(sandbox.certbot) :], *elsewhere)
    assert done.returncode == 1
    assert "Connection refused" in done.stdout or "connection refused" in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_dry_run_renews(sandbox: Sandbox, name: str) -> None:
    done = subprocess.run(
        sandbox.dry_run(name),
        env=sandbox.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{name}/fullchain.pem (success)" in done.stdout


def test_the_lineages_know_their_server(sandbox: Sandbox) -> None:
    for name in NAMES:
        text = (sandbox.root / "etc/letsencrypt/renewal" / f"{name}.conf").read_text()
        assert f"server = {sandbox.server}\n" in text
        assert "authenticator = standalone\n" in text
        assert "http01_port = " in text


def test_the_root_looks_like_a_server(sandbox: Sandbox) -> None:
    for name in ("etc/cron.d", "etc/systemd/system", "usr/local/sbin", "var/lib", "etc/nginx"):
        assert stat.S_IMODE((sandbox.root / name).stat().st_mode) == 0o755
    assert stat.S_IMODE(sandbox.root.parent.stat().st_mode) == 0o700


def test_nothing_listens_beyond_this_machine(sandbox: Sandbox) -> None:
    import psutil

    for line in processes(sandbox.root.parent):
        for connection in psutil.Process(int(line.split()[0])).net_connections("inet"):
            assert connection.laddr.ip == "127.0.0.1"


def test_certbot_that_takes_too_long_is_ended(sandbox: Sandbox) -> None:
    with pytest.raises(DemoError, match=r"not ended after 0\.05 s"):
        sandbox.run_certbot("certificates", timeout=0.05)


def test_no_process_and_no_folder_after_exit(
    authority: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Sandbox(authority=authority, names=NAMES[:1]) as sandbox:
        stray = subprocess.Popen(["sleep", "600"], env=sandbox.environment, start_new_session=True)
        assert processes(tmp_path)
    assert gone(tmp_path, seconds=0)
    assert stray.wait(1) == -9


def test_closed_from_another_thread_it_gives_up(authority: str, tmp_path: Path) -> None:
    def give_up(step: Step) -> None:
        if step.kind == "requesting":
            threading.Timer(0.5, sandbox.close).start()

    sandbox = Sandbox(give_up, authority=authority)
    start = time.monotonic()
    with pytest.raises(DemoError), sandbox:
        pytest.fail("a certificate came from nowhere")
    assert time.monotonic() - start < 5
    assert not sandbox.root.parent.exists()


def test_it_needs_no_root(hold: Hold, tmp_path_factory: pytest.TempPathFactory) -> None:
    need("acme2certifier")
    user: dict[str, Any] = (
        {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    scratch, home = (Path(f"/tmp/certtui-test-{os.getpid()}-{what}") for what in ("tmp", "home"))
    try:
        for place in (scratch, home):
            place.mkdir()
            if user:
                os.chown(place, 65534, 65534)
        surroundings = {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
        if user and not _can_import(user):
            pytest.skip(f"{sys.executable} or certtui's folder is closed to other users")
        process = hold("acme2certifier", scratch, surroundings, cwd=home, **user)
        wait_for(process, "ready")
        process.terminate()
        process.wait(5)
        assert gone(scratch)
        assert list(home.iterdir()) == []
    finally:
        shutil.rmtree(scratch)
        shutil.rmtree(home)


def _can_import(user: dict[str, Any]) -> bool:
    argv = [sys.executable, "-c", "import certtui.demo.sandbox"]
    surroundings = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    try:
        done = subprocess.run(
            argv, env=surroundings, cwd="/", capture_output=True, check=False, **user
        )
    except PermissionError:
        return False  # this very Python is another user's, such as one below /root
    return done.returncode == 0


def test_without_certbot_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CertbotMissing, match=r"pip install 'certtui\[demo\]'") as caught, Sandbox():
        pytest.fail("there is no certbot")
    assert caught.value.exit_code == ExitCode.NO_CERTBOT


def test_without_a_server_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    need("acme2certifier")
    monkeypatch.setattr(ca, "available", list)
    with pytest.raises(CertbotMissing, match=r"pip install 'certtui\[demo\]'"), Sandbox():
        pytest.fail("there is no server")


def test_a_pebble_that_does_not_start_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("acme2certifier")
    for name in ("pebble", "pebble-challtestsrv"):
        (tmp_path / name).write_text("#!/bin/sh\necho broken\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with Sandbox(names=()) as sandbox:
        assert not sandbox.validates
    with pytest.raises(DemoError, match=r"\(pebble\) did not start:\nbroken"):
        Sandbox(authority="pebble").__enter__()


def test_no_folder_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certtui.demo.guard.__file__", str(tmp_path / "nothing.py"))
    with pytest.raises(DemoError, match="no folder for the demo"):
        GuardedFolder()


def test_a_folder_that_a_plan_can_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan takes no path with a space, and no program starts from a noexec mount."""
    wrong = tmp_path / "a place"
    wrong.mkdir()
    monkeypatch.setenv("TMPDIR", str(wrong))
    folder = GuardedFolder()
    try:
        assert absolute_path(str(folder.path)) == ""
        assert list(wrong.iterdir()) == []
    finally:
        folder.close()
    assert not folder.path.exists()


def test_not_where_programs_cannot_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoExec:
        f_flag = os.ST_NOEXEC

    monkeypatch.setattr("os.statvfs", lambda _: NoExec)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert guard.make_folder() is None
    assert list(tmp_path.iterdir()) == []


def test_the_command_is_ended_before_it_is_certbot(tmp_path: Path) -> None:
    """It is a shell at first, without the mark where its caller gave it another environment."""
    folder = GuardedFolder()
    command = folder.path / guard.COMMAND
    command.write_text("#!/bin/sh\nread -r _\n")
    command.chmod(0o700)
    process = subprocess.Popen([str(command)], stdin=subprocess.PIPE, env={})
    folder.close()
    assert process.wait(1) == -9
    assert process.stdin is not None
    process.stdin.close()


def test_this_hosts_configuration_of_certbot_is_not_read(tmp_path: Path) -> None:
    need("acme2certifier")
    (tmp_path / "letsencrypt").mkdir()
    (tmp_path / "letsencrypt/cli.ini").write_text("max-log-backups = not a number\n")
    places = [f"--{what}-dir={tmp_path / what}" for what in ("config", "work", "logs")]
    certbot = [str(find_certbot()), "certificates", *places]
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}

    def run(argv: list[str]) -> int:
        return subprocess.run(argv, env=environment, capture_output=True, check=False).returncode

    assert run(certbot) == 2
    assert run([sys.executable, isolated_certbot.__file__, *certbot]) == 0


@pytest.mark.parametrize(
    ("first", "python"),
    [
        (b"#!/usr/bin/python3\n", "/usr/bin/python3"),
        (b"#!/opt/certbot/bin/python3.11 -I\n", "/opt/certbot/bin/python3.11"),
        (b"#!/bin/sh\n", None),
        (b"#!\n", None),
        (b"\x7fELF\x02\x01\xff", None),
        (b"", None),
    ],
)
def test_which_python_runs_a_certbot(tmp_path: Path, first: bytes, python: str | None) -> None:
    program = tmp_path / "certbot"
    program.write_bytes(first)
    assert module._python_of(program) == python


def test_importing_the_demo_is_cheap() -> None:
    code = "import sys, certtui.demo.sandbox; print(*sys.modules)"
    argv = [sys.executable, "-c", code]
    out = subprocess.run(
        argv,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout
    heavy = {"cryptography", "certbot", "acme2certifier", "psutil", "textual", "pexpect", "ssl"}
    assert not heavy & set(out.stdout.split())
