"""Hostile paths: what is refused before anything is written; nothing outside is touched."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from certtui.change.files import Tree, temporary_name
from certtui.change.model import Snapshot
from certtui.errors import Refused

NEW = Snapshot(b"new\n", 0o644, os.geteuid(), os.getegid())


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "root/etc/a/b").mkdir(parents=True)
    return Tree(str(tmp_path / "root"))


def at(tree: Tree, path: str) -> Path:
    return Path(tree.root + path)


@pytest.mark.parametrize("depth", ["/etc", "/etc/a", "/etc/a/b"])
def test_a_symbolic_link_on_the_way_is_not_followed(tree: Tree, tmp_path: Path, depth: str) -> None:
    outside = tmp_path / "outside"
    at(tree, depth).rename(outside)
    at(tree, depth).symlink_to(outside)
    before = sorted(outside.rglob("*"))
    for act in (tree.snapshot, tree.delete, lambda path: tree.write(path, NEW)):
        with pytest.raises(Refused, match=rf"{depth} is a symbolic link \(to "):
            act("/etc/a/b/file")
    assert sorted(outside.rglob("*")) == before


def test_a_file_on_the_way_is_refused(tree: Tree) -> None:
    at(tree, "/etc/a/b/file").write_text("x")
    with pytest.raises(Refused, match="/etc/a/b/file is not a directory"):
        tree.snapshot("/etc/a/b/file/deeper")


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        *((mode, rf"\(mode {mode:04o}\): chmod go-w /etc/a$") for mode in (0o775, 0o757, 0o777)),
        # Made for all, as /tmp: to take that away from it would break other things.
        (0o1777, "/etc/a is for everybody to write in: choose another folder$"),
    ],
)
def test_a_folder_that_others_may_write_to_is_refused(tree: Tree, mode: int, sentence: str) -> None:
    at(tree, "/etc/a").chmod(mode)
    with pytest.raises(Refused, match=sentence):
        tree.write("/etc/a/b/file", NEW)
    assert os.listdir(at(tree, "/etc/a/b")) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(tree: Tree) -> None:
    os.chown(at(tree, "/etc/a"), 1234, 1234)
    with pytest.raises(Refused, match="belongs to user 1234, not to root: chown root /etc/a"):
        tree.write("/etc/a/b/file", NEW)


def test_what_is_not_a_plain_file_is_refused(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = at(tree, "/etc/a/b")
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "fifo")
    (folder / "directory").mkdir()
    (folder / "one").write_text("x")
    os.link(folder / "one", folder / "two")
    monkeypatch.chdir(folder)  # the name of a socket may have 108 bytes only (unix(7))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for name, kind in (
            ("link", "a symbolic link"),
            ("fifo", "a FIFO"),
            ("directory", "a directory"),
            ("one", r"a file with 2 names \(hard links\)"),
            ("socket", "a device or socket"),
        ):
            with pytest.raises(Refused, match=f"/etc/a/b/{name} is {kind}, not a plain file"):
                tree.snapshot(f"/etc/a/b/{name}")


def test_nothing_at_a_path_is_none(tree: Tree) -> None:
    assert tree.snapshot("/etc/a/b/absent") is None
    assert tree.snapshot("/absent/folder/file") is None
    tree.delete("/absent/folder/file")
    assert not tree.leftover("/absent/folder/file")


def test_missing_folders_are_named_outermost_first(tree: Tree) -> None:
    assert tree.missing_folders("/etc/a/x/y/file") == ["/etc/a/x", "/etc/a/x/y"]
    assert tree.missing_folders("/etc/a/b/file") == []


def test_the_mode_is_right_from_the_first_byte(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = os.fchmod

    def watch(fd: int, mode: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(fd).st_mode))
        assert os.fstat(fd).st_size == 0
        real(fd, mode)

    monkeypatch.setattr(os, "fchmod", watch)
    before = os.umask(0)
    try:
        tree.write("/etc/a/b/file", Snapshot(b"secret", 0o600, NEW.uid, NEW.gid))
    finally:
        os.umask(before)
    assert seen == [0o600]


def test_file_then_name_then_folder_reach_the_disk(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, rename = os.fsync, os.rename

    def on_fsync(fd: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file")
        fsync(fd)

    def on_rename(old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        order.append("rename")
        rename(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "fsync", on_fsync)
    monkeypatch.setattr(os, "rename", on_rename)
    tree.write("/etc/a/b/file", NEW)
    assert order == ["file", "rename", "folder"]


def test_a_replaced_file_is_newer_in_whole_seconds(tree: Tree) -> None:
    """cron rereads a file only when its mtime moved in whole seconds (cron(8))."""
    file = at(tree, "/etc/a/b/file")
    file.write_text("old")
    ahead = int(file.stat().st_mtime) + 100
    os.utime(file, (ahead, ahead))
    tree.write("/etc/a/b/file", NEW)
    assert int(file.stat().st_mtime) == ahead + 1


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = at(tree, "/etc/a/b/file")
    file.write_text("old")

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        tree.write("/etc/a/b/file", NEW)
    assert file.read_text() == "old"
    assert os.listdir(file.parent) == ["file"]


def test_a_planted_temporary_name_is_never_written_through(tree: Tree, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("safe")
    at(tree, f"/etc/a/b/{temporary_name('file')}").symlink_to(victim)
    assert tree.leftover("/etc/a/b/file")
    with pytest.raises(FileExistsError):
        tree.write("/etc/a/b/file", NEW)
    assert victim.read_text() == "safe"


def test_a_directory_in_use_is_left(tree: Tree) -> None:
    tree.rmdir("/etc/a")
    assert at(tree, "/etc/a/b").is_dir()
    tree.rmdir("/etc/a/b")
    tree.rmdir("/etc/a/b")
    assert not at(tree, "/etc/a/b").exists()
    tree.mkdir("/etc/a", 0o700)
    assert stat.S_IMODE(at(tree, "/etc/a").stat().st_mode) != 0o700
    at(tree, "/etc/a/file").write_text("x")
    with pytest.raises(NotADirectoryError):
        tree.rmdir("/etc/a/file")
