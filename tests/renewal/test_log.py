"""The full output on disk: private, not through links, bounded, and never a reason to stop."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from certtui.renewal import log
from certtui.renewal.log import Log


def test_it_is_private_and_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("of before, and longer")
    path.chmod(0o644)
    kept = Log(str(path))
    kept.write("ümlaut")
    kept.flush()
    assert path.read_text("utf-8") == "ümlaut\n"
    kept.write("end")
    kept.close()
    kept.close()
    assert path.read_text("utf-8") == "ümlaut\nend\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept.kept == str(path)
    assert kept.problem == ""


def test_another_try_adds_to_it(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for number in range(3):
        kept = Log(str(path), again=number > 0)
        kept.write(f"try {number}")
        kept.close()
    assert path.read_text("utf-8") == "try 0\ntry 1\ntry 2\n"


def test_a_new_one_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Log(str(tmp_path / "log")).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


def test_none_is_wanted() -> None:
    kept = Log("")
    kept.write("x")
    kept.close()
    assert kept.kept == kept.problem == ""


def test_not_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "symbolic").symlink_to("precious")
    (tmp_path / "hard").hardlink_to(tmp_path / "precious")
    os.mkfifo(tmp_path / "fifo")
    for name in ("symbolic", "hard", "fifo", ".", "no/such/folder"):
        kept = Log(str(tmp_path / name))
        kept.write("x")
        kept.close()
        assert kept.kept == ""
        assert kept.problem.startswith(f"the full output is not kept in {tmp_path / name}: ")
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_full_disk_is_said_and_borne(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = Log(str(tmp_path / "log"))

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    kept.write("x")
    kept.flush()
    kept.write("y")
    kept.close()
    assert kept.problem.endswith(": No space left on device")
    assert kept.kept == ""


def test_it_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(log, "LIMIT", 1000)
    kept = Log(str(tmp_path / "log"))
    for _ in range(100):
        kept.write("x" * 99)
        kept.flush()
    kept.close()
    text = (tmp_path / "log").read_text()
    assert text.endswith("[certtui: the rest is left out, the output is too long]\n")
    assert text.count("x" * 99) == 9
