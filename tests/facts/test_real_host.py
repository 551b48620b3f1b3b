"""This machine through the interface: what it answers when things go wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from certtui.host.interface import RealHost


def test_a_script_without_its_first_line_is_an_answer(tmp_path: Path) -> None:
    script = tmp_path / "certbot"
    script.write_text("echo hi\n")
    script.chmod(0o755)
    done = RealHost().run([str(script), "--version"])
    assert (done.code, done.out) == (126, "")
    assert "Exec format error" in done.err


def test_programs_get_the_home_of_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/someone")
    assert RealHost().run(["sh", "-c", "echo $HOME"]).out == "/home/someone\n"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert RealHost().run(["sh", "-c", "echo $HOME"]).out == "/root\n"


def test_a_process_that_ended_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    child = subprocess.Popen(["sleep", "60"])
    opened = os.fstat

    def ended(fd: int) -> os.stat_result:
        child.kill()
        child.wait()
        return opened(fd)

    monkeypatch.setattr(os, "fstat", ended)
    assert RealHost().read(f"/proc/{child.pid}/comm") is None


def test_the_end_of_a_file_and_the_beginning(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"0123456789")
    host = RealHost()
    assert host.tail(str(log), 4) == b"6789"
    assert host.tail(str(log), 40) == b"0123456789"
    assert host.read(str(log), 4) == b"0123"
    assert host.tail("/proc/self/comm", 100) == host.read("/proc/self/comm")
    os.mkfifo(tmp_path / "pipe")
    assert host.tail(str(tmp_path / "pipe"), 4) is None
    assert host.tail(str(tmp_path / "nothing"), 4) is None


def test_gathering_imports_the_heavy_ones_only_when_needed() -> None:
    code = "import certtui.host.gather, sys; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "certtui.host.gather" in out.stdout.split()
    assert not {"psutil", "configobj", "cryptography"} & set(out.stdout.split())
