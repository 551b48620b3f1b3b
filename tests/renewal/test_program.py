"""``certtui dry-run`` as a program: what it prints, how signals end it, what it leaves."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from certtui.plan import document
from tests.renewal.support import NAMES, alive, environment, gone, program, wait_for
from tests.renewal.test_dry_run import WORKS, _signals, _stubborn

DEMO, SHOP = NAMES


def _plan(folder: Path, certbot: Path) -> list[str]:
    """The command line for a plan with that certbot and two lineages of its own."""
    config = folder / "letsencrypt"
    for name in NAMES:
        live = config / "live" / name
        live.mkdir(parents=True, exist_ok=True)
        (config / "renewal").mkdir(exist_ok=True)
        (config / "renewal" / f"{name}.conf").write_text(
            f"fullchain = {live}/fullchain.pem\n[renewalparams]\nauthenticator = standalone\n"
        )
    answers = {
        "webserver.kind": "none",
        "certbot.command": str(certbot),
        "certbot.extra_args": ("--config-dir", str(config)),
    }
    path = folder / "plan.toml"
    path.write_bytes(document.new(answers, str(path)).content)
    return [sys.executable, "-W", "error", "-m", "certtui", "dry-run", str(path)]


def _start(argv: list[str], folder: Path, **options: object) -> subprocess.Popen[str]:
    settings: dict[str, object] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "cwd": folder,
        "env": environment(TMPDIR=str(folder), NO_COLOR="1"),
        **options,
    }
    return subprocess.Popen(argv, **settings)  # type: ignore[call-overload,no-any-return]


def test_a_table_at_the_end(tmp_path: Path) -> None:
    argv = _plan(tmp_path, program(tmp_path, WORKS))
    with _start(argv, tmp_path) as started:
        out, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (0, "")
    assert f"  Processing /etc/letsencrypt/renewal/{DEMO}.conf\n" in out
    assert f"\n  CERTIFICATE        RESULT  REASON\n  {DEMO}  ok\n  {SHOP}  ok\n" in out
    assert "\ndry run: ok, 2 of 2 certificates renewed on trial, " in out
    assert "\x1b" not in out


def test_json_lines(tmp_path: Path) -> None:
    argv = _plan(tmp_path, program(tmp_path, f"printf 'm\\303\\274ller\\n'; {WORKS}; exit 3"))
    with _start([*argv, "--json"], tmp_path) as started:
        out, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (1, "")
    events = [json.loads(line) for line in out.splitlines()]
    assert {event["schema_version"] for event in events} == {1}
    assert events[0]["text"] == "müller"
    assert [event["event"] == "done" for event in events].count(True) == 1
    assert events[-1]["event"] == "done"
    assert events[-1]["ok"] is False
    assert events[-1]["lineages"] == [
        {"name": name, "result": "ok", "reason": ""} for name in NAMES
    ]
    assert "exit status 3" in events[-1]["reason"]


def test_no_certbot(tmp_path: Path) -> None:
    argv = _plan(tmp_path, tmp_path / "certbot")
    with _start(argv, tmp_path) as started:
        out, err = started.communicate(timeout=60)
    assert (started.returncode, out) == (69, "")
    assert err.startswith(f"certtui: certbot.command = {tmp_path}/certbot: no certbot is there; ")


def test_another_certbot_holds_the_lock(tmp_path: Path) -> None:
    body = "echo 'Another instance of Certbot is already running.'; exit 1"
    with _start(_plan(tmp_path, program(tmp_path, body)), tmp_path) as started:
        out, _ = started.communicate(timeout=60)
    assert started.returncode == 75
    assert "another certbot is at work and holds the lock; wait until" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_certbot_first_and_shows_the_table(
    tmp_path: Path, number: signal.Signals
) -> None:
    certbot, marks = _stubborn(tmp_path, "SIGINT")
    with _start(_plan(tmp_path, _versioned(certbot)), tmp_path) as started:
        assert started.stdout is not None
        while "Processing" not in (line := started.stdout.readline()):
            assert line, started.communicate()
        started.send_signal(number)
        out, err = started.communicate(timeout=60)
    assert started.returncode == 128 + number
    assert err == ""
    assert "  cleaning up\n" in out
    assert f"  {DEMO}  skipped  cancelled\n" in out
    assert "\ndry run: CANCELLED, 0 of 2 certificates renewed on trial, " in out
    pid, signals = _signals(marks)
    assert signals == ["SIGINT"]
    assert not alive(pid)


def test_ctrl_c_at_a_terminal_reaches_certbot_once(tmp_path: Path) -> None:
    certbot, marks = _stubborn(tmp_path, "SIGINT")
    argv = _plan(tmp_path, _versioned(certbot))
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(argv[0], argv, environment(TMPDIR=str(tmp_path), NO_COLOR="1"))
    said = b""
    try:
        while b"Processing" not in said:
            said += os.read(terminal, 4096)
        os.write(terminal, b"\x03")
        while b"full output" not in said:
            said += os.read(terminal, 4096)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 130
    assert b"CANCELLED" in said
    certbots, signals = _signals(marks)
    assert signals == ["SIGINT"]
    assert not alive(certbots)


def test_the_reader_goes_away(tmp_path: Path) -> None:
    """As in ``certtui dry-run | head -1``."""
    body = f"echo $$ >{tmp_path}/pid; while :; do echo x; sleep 0.05; done"
    argv = _plan(tmp_path, program(tmp_path, f'case "$*" in *--version*) exit;; esac; {body}'))
    with _start(argv, tmp_path) as started:
        assert started.stdout is not None and started.stderr is not None
        started.stdout.readline()
        started.stdout.close()
        assert started.wait(60) == 128 + signal.SIGPIPE
        assert started.stderr.read() == ""
    assert gone(int(wait_for(tmp_path / "pid")))


def test_a_lost_terminal_is_no_error_inside_certtui(tmp_path: Path) -> None:
    """HUP comes, and every write fails from then on."""
    certbot, marks = _stubborn(tmp_path, "SIGINT")
    argv = _plan(tmp_path, _versioned(certbot))
    master, slave = pty.openpty()
    started = _start(argv, tmp_path, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    said = b""
    while b"Processing" not in said:
        said += os.read(master, 4096)
    started.send_signal(signal.SIGHUP)
    os.close(master)
    assert started.wait(60) == 128 + signal.SIGHUP
    assert not alive(_signals(marks)[0])
    assert not list(tmp_path.glob("certtui-report-*"))


def _versioned(certbot: Path) -> Path:
    """The same, but asked for its version it says it at once: the facts ask."""
    first, _, rest = certbot.read_text().partition("\n")
    ask = "import sys\nif '--version' in sys.argv:\n    sys.exit('certbot 2.1.0')\n"
    certbot.write_text(f"{first}\n{ask}{rest}")
    return certbot
