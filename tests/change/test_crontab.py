"""Our block in root's crontab: every other byte survives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certtui.change import crontab, store
from certtui.change.files import Tree
from certtui.change.model import Snapshot
from certtui.errors import ApplyFailed, Refused

BLOCK = b"17 4 * * * /usr/local/sbin/certbot-renew-everything\n"

others = st.binary(max_size=400).filter(
    lambda text: crontab.BEGIN not in text and crontab.END not in text
)


@given(others)
def test_a_block_put_in_and_taken_out_leaves_every_byte(other: bytes) -> None:
    with_block = crontab.join(other, BLOCK)
    assert with_block.startswith(other)
    assert crontab.split(with_block)[1] == BLOCK
    out = crontab.join(with_block, None)
    # A last line without a newline is ignored by cron; ours would have run into it.
    assert out == other or out == other + b"\n"
    assert out == other or not other.endswith(b"\n")


@given(others, others)
def test_replacing_the_block_touches_neither_side(before: bytes, after: bytes) -> None:
    before = before if before == b"" or before.endswith(b"\n") else before + b"\n"
    whole = before + crontab.BEGIN + b"old\n" + crontab.END + after
    assert crontab.join(whole, BLOCK) == before + crontab.BEGIN + BLOCK + crontab.END + after


@pytest.mark.parametrize(
    "whole",
    [
        crontab.BEGIN + BLOCK,
        crontab.END,
        crontab.END + crontab.BEGIN,
        crontab.BEGIN + crontab.BEGIN + crontab.END,
        crontab.BEGIN + crontab.END + crontab.BEGIN + crontab.END,
        b"0 0 * * * x " + crontab.BEGIN + BLOCK + crontab.END,
    ],
)
def test_a_broken_fence_is_not_touched(whole: bytes) -> None:
    with pytest.raises(ApplyFailed, match="broken certtui block: mend it with crontab -e"):
        crontab.join(whole, BLOCK)


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A crontab(1) of a few lines of sh, over a file."""
    program = tmp_path / "bin/crontab"
    program.parent.mkdir()
    spool = tmp_path / "spool"
    program.write_text(
        f"""#!/bin/sh
case $3 in
    -l) [ -e {spool} ] || {{ echo "no crontab for root" >&2; exit 1; }}; cat {spool} ;;
    -r) rm {spool} ;;
    -) cat >{spool} ;;
esac
"""
    )
    program.chmod(0o755)
    monkeypatch.setattr(crontab, "SAFE_PATH", f"{program.parent}:/usr/bin:/bin")
    return spool


def test_another_root_never_touches_this_machines_crontab(spool: Path, tmp_path: Path) -> None:
    tree = Tree(str(tmp_path))
    with pytest.raises(Refused, match="choose another backend"):
        store.read_target(tree, "crontab", "root's crontab")
    with pytest.raises(Refused, match="choose another backend"):
        store.write_target(tree, "crontab", "root's crontab", Snapshot(BLOCK, 0o600, 0, 0))
    assert not spool.exists()


def test_the_block_goes_through_crontab(spool: Path) -> None:
    tree = Tree("/")
    assert store.read_target(tree, "crontab", "root's crontab") is None
    spool.write_bytes(b"MAILTO=a\r\n5 5 * * * x")
    block = Snapshot(BLOCK, 0o600, 0, 0)
    store.write_target(tree, "crontab", "root's crontab", block)
    assert store.read_target(tree, "crontab", "root's crontab") == block
    assert spool.read_bytes().startswith(b"MAILTO=a\r\n5 5 * * * x\n# BEGIN certtui")
    store.write_target(tree, "crontab", "root's crontab", None)
    assert spool.read_bytes() == b"MAILTO=a\r\n5 5 * * * x\n"


def test_a_crontab_that_held_only_our_block_is_removed(spool: Path) -> None:
    crontab.write(crontab.join(crontab.read(), BLOCK))
    assert spool.exists()
    crontab.write(crontab.join(crontab.read(), None))
    assert not spool.exists()


def test_permission_denied_is_not_an_empty_crontab(spool: Path) -> None:
    program = spool.parent / "bin/crontab"
    program.write_text("#!/bin/sh\necho 'crontabs/root: Permission denied' >&2\nexit 1\n")
    with pytest.raises(ApplyFailed, match="Permission denied"):
        crontab.read()
    with pytest.raises(ApplyFailed, match="Permission denied"):
        crontab.write(b"x\n")
    os.unlink(program)
    with pytest.raises(ApplyFailed, match="could not be run"):
        crontab.read()


def test_without_cron_nobody_has_a_crontab(spool: Path) -> None:
    """So that apply can say that cron is missing, and how to install it."""
    spool.write_bytes(crontab.join(b"", BLOCK))
    os.unlink(spool.parent / "bin/crontab")
    assert store.read_target(Tree("/"), "crontab", "root's crontab") is None
