"""``certtui demo --yes`` as people start it: the whole story, bad surroundings, every end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from certtui import cli
from certtui.ask import answers
from certtui.demo import guard, server
from certtui.demo.narrative import Narrative
from certtui.demo.run import not_proved, run_demo
from certtui.demo.sandbox import NAMES, Sandbox
from certtui.errors import ExitCode
from certtui.renewal.events import Done, LineageResult

from .support import CHECKOUT, gone, need

ARGV = [sys.executable, "-m", "certtui", "demo", "--yes"]


def _ok(name: str) -> LineageResult:
    return LineageResult(name, "ok", "", 1.0)


CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -9}


def start(
    scratch: Path, extra: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """Starts the demo as its own process, with ``scratch`` as the place for its folder."""
    need("acme2certifier")
    surroundings = {"PYTHONPATH": str(CHECKOUT), "TMPDIR": str(scratch)}
    return subprocess.Popen(
        [*before, *ARGV],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **surroundings, **(extra or {})},
    )


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place for the folder of a demo that runs in this process."""
    need("acme2certifier")
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_the_whole_story(tmp_path: Path) -> None:
    begun = time.monotonic()
    process = start(tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    assert err == ""
    assert time.monotonic() - begun < 60
    assert gone(tmp_path, seconds=0)
    sections = re.findall(r"^\[(\d)/6\]", out, re.MULTILINE)
    assert sections == list("123456")
    for path, mode in {
        "/usr/local/sbin/certbot-renew-everything": "0700",
        "/etc/letsencrypt/renewal-hooks/deploy/certtui-deploy": "0700",
        "/etc/letsencrypt/renewal-hooks/post/certtui-reload": "0700",
        "/etc/systemd/system/certtui-renew.service": "0644",
        "/etc/systemd/system/certtui-renew.timer": "0644",
        "/etc/certtui/plan.toml": "0600",
    }.items():
        assert re.search(rf"^  new +{mode}  {path}  \+\d+$", out, re.MULTILINE)
        assert f"wrote {path} ({mode})" in out
    assert "$ systemctl enable --now certtui-renew.timer" in out
    assert out.count("simulated renewals succeeded") == len(NAMES)
    assert re.search(r"happened in \S*/certtui-demo-\w+, which is gone now", _words(out))
    assert out.endswith(
        "sudo certtui      the wizard: choose, preview, apply, prove\n"
        "  certtui --help    every command\n"
    )


def _words(text: str) -> str:
    """The text without its line breaks, which a long path moves."""
    return " ".join(text.split())


def test_in_hostile_surroundings(tmp_path: Path) -> None:
    """No home, no rights for what it makes, no input, a proxy, and a state folder elsewhere."""
    state = tmp_path / "state"
    surroundings = {
        "CI": "true",
        "HOME": "/nonexistent",
        "XDG_STATE_HOME": str(state),
        "https_proxy": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "LC_ALL": "C",
        "PYTHONIOENCODING": "ascii",
        "TERM": "dumb",
        "COLUMNS": "7",
    }
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    process = start(scratch, surroundings, before=["sh", "-c", 'umask 0777; exec "$@" <&-', "sh"])
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    assert gone(scratch, seconds=0)
    assert not state.exists()


def test_interrupted_at_any_moment(tmp_path: Path) -> None:
    """Every 0.3 s of a run gets a signal, each kind in turn."""
    moments = [(3 * tenths / 10, list(CODES)[tenths % 4]) for tenths in range(40)]
    with ThreadPoolExecutor(4) as pool:
        wrong = [text for text in pool.map(lambda moment: _end(tmp_path, *moment), moments) if text]
    assert not wrong, "\n".join(wrong)


def _end(folder: Path, seconds: float, number: signal.Signals) -> str:
    """Ends a demo ``seconds`` after its first word; what is wrong afterwards, or ""."""
    scratch = folder / f"{seconds:.1f}"
    scratch.mkdir()
    process = start(scratch)
    _read_until(process, "certtui demo")
    time.sleep(seconds)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    what = f"{number.name} after {seconds:.1f} s: exit {process.returncode}, {err!r}"
    if not gone(scratch):
        return f"{what}: left {list(scratch.rglob('*'))}"
    ended = process.returncode == CODES[number] or (process.returncode == 0 and "gone now" in out)
    return "" if ended and "Traceback" not in err else what


def test_interrupted_twice(tmp_path: Path) -> None:
    """Somebody impatient: the second Ctrl+C comes while the first is tidying up."""
    for pause in (0.0, 0.02, 0.1):
        process = start(tmp_path)
        _read_until(process, "[2/6]")
        process.send_signal(signal.SIGINT)
        time.sleep(pause)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        # The second may meet the interpreter's own end, which no program can handle; a shell
        # calls both 130.
        assert process.returncode in (130, -signal.SIGINT), err
        assert "Traceback" not in err
        assert gone(tmp_path)


def test_a_reader_that_leaves(tmp_path: Path) -> None:
    process = start(tmp_path)
    _read_until(process, "[1/6]")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(30) == 128 + signal.SIGPIPE
    assert process.stderr is not None
    process.stderr.close()
    assert gone(tmp_path)


def _read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    for line in process.stdout:
        if words in line:
            return
    pytest.fail(f"the demo ended before {words!r}: {process.stderr.read()}")


def test_without_certbot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["demo", "--yes"]) == ExitCode.NO_CERTBOT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("pip install 'certtui[demo]'\n")


def test_a_failed_proof_is_a_failed_demo(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ACME server dies before the dry run."""
    plain = Narrative.dry_run

    def kill(self: Narrative) -> None:
        for folder in scratch.glob("certtui-demo-*"):
            for pid in guard.members(str(folder)):
                os.kill(pid, signal.SIGKILL)
        plain(self)

    monkeypatch.setattr(Narrative, "dry_run", kill)
    assert run_demo(yes=True) == ExitCode.FAILED
    out = _words(capsys.readouterr().out)
    for name in NAMES:
        assert f"NOT PROVED: the dry run of {name} failed: " in out
    assert "which is gone now" in out
    assert "is proved" not in out


def test_a_file_that_is_not_as_planned_fails_the_demo(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def spoil(self: Narrative) -> None:
        (unit,) = scratch.glob("certtui-demo-*/root/etc/systemd/system/*.timer")
        unit.write_text("spoilt")

    monkeypatch.setattr(Narrative, "applied", spoil)
    assert run_demo(yes=True) == ExitCode.FAILED
    out = _words(capsys.readouterr().out)
    assert "NOT PROVED: /etc/systemd/system/certtui-renew.timer is not what the plan says" in out


@pytest.mark.parametrize(
    ("done", "problems"),
    [
        (Done(True, (_ok("a"), _ok("b")), 1.0), []),
        (Done(True, (_ok("a"),), 1.0), ["the dry run did not get to b"]),
        (Done(False, (_ok("a"), _ok("b")), 1.0, "locked"), ["the dry run failed: locked"]),
        (
            Done(False, (_ok("a"), LineageResult("b", "failed", "refused", 1.0)), 1.0),
            ["the dry run of b failed: refused"],
        ),
    ],
)
def test_what_counts_as_proved(done: Done, problems: list[str]) -> None:
    assert not_proved(done, ("a", "b")) == problems


def test_the_surroundings_come_back(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere")
    before = dict(os.environ)
    with server.surroundings(sandbox):
        assert answers.draft_path().startswith(str(sandbox.folder))
        assert tempfile.mkdtemp().startswith(str(sandbox.folder))
        assert not any("CERTTUI_DEMO" in name for name in before)
        assert os.getpid() not in guard.members(str(sandbox.folder))
    assert dict(os.environ) == before
