"""Signals and streams as a caller may leave them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from certtui import cli


@pytest.mark.parametrize("ignored", [True, False])
def test_a_hangup_that_the_caller_ignores_stays_ignored(ignored: bool) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        assert cli.main(["schema"]) == 0
        assert (signal.getsignal(signal.SIGHUP) is signal.SIG_IGN) is ignored
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_closed_streams_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("version = 1\n")
    code = (
        "import os, runpy, sys; os.close(1); os.close(2); sys.stdout = sys.stderr = None; "
        "sys.argv = ['certtui', 'check', 'p.toml']; "
        "runpy.run_module('certtui', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    "arguments",
    [["schema"], ["doctor", "--list"], ["check", "--json", "p.toml"], ["check", "p.toml"]],
)
@pytest.mark.parametrize("buffered", [True, False])
def test_a_full_disk_is_a_sentence(tmp_path: Path, arguments: list[str], buffered: bool) -> None:
    (tmp_path / "p.toml").write_text("version = 1\n")
    environment = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "certtui", *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    said = b"certtui: standard output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_another_error_of_the_system_is_still_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks() -> int:
        raise OSError(5, "Input/output error", "/x")

    monkeypatch.setattr("certtui.crash.fault", lambda error: f"fault: {error}")
    assert cli.guarded(breaks) == 1
    assert "fault: [Errno 5]" in capsys.readouterr().err
