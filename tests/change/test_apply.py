"""Apply, undo and remove on a throw-away root, with a systemd made of dictionaries."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from certtui.change import apply as engine
from certtui.change import preview, store, undo
from certtui.change.apply import Consent
from certtui.change.files import Tree
from certtui.change.lock import locked
from certtui.change.model import Preview, Result, Step
from certtui.errors import ApplyFailed, Locked, Refused
from certtui.render.artifact import Rename, Rendered
from tests.change.support import PLAN, SCRIPT, TIMER, Systemd, listing, new_root, rendered


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return new_root(tmp_path / "root")


@pytest.fixture
def host(tree: Tree) -> Systemd:
    return Systemd(tree)


def apply(
    host: Systemd,
    tree: Tree,
    target: Rendered | None = None,
    *,
    consent: Consent | None = None,
    approved: Preview | None = None,
    refusals: tuple[str, ...] = (),
) -> Result:
    return engine.apply(
        host,
        tree,
        target or rendered(),
        plan_text="version = 1\n",
        consent=consent,
        approved=approved,
        refusals=refusals,
    )


def path(tree: Tree, name: str) -> Path:
    return Path(tree.root + name)


def test_files_have_their_modes_and_units_run(host: Systemd, tree: Tree) -> None:
    assert apply(host, tree).changed
    modes = {name: stat.S_IMODE(path(tree, name).stat().st_mode) for name in (PLAN, SCRIPT, TIMER)}
    assert modes == {PLAN: 0o600, SCRIPT: 0o700, TIMER: 0o644}
    assert host.units["certtui-renew.timer"] == ["enabled", True]
    assert host.units["certbot.timer"] == ["disabled", False]
    assert [command[1] for command in host.ran] == ["daemon-reload", "verify", "enable", "disable"]


def test_modes_do_not_depend_on_the_umask(host: Systemd, tree: Tree) -> None:
    before = os.umask(0o077)
    try:
        apply(host, tree)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path(tree, TIMER).stat().st_mode) == 0o644
    assert stat.S_IMODE(path(tree, "/etc/certtui").stat().st_mode) == 0o755


def test_a_second_apply_touches_nothing(host: Systemd, tree: Tree) -> None:
    apply(host, tree)
    marks = {p: (p.lstat().st_ino, p.lstat().st_mtime_ns) for p in Path(tree.root).rglob("*")}
    host.ran.clear()
    assert not apply(host, tree).changed
    lock = path(tree, store.LOCK)
    after = {p: (p.lstat().st_ino, p.lstat().st_mtime_ns) for p in Path(tree.root).rglob("*")}
    assert {p: m for p, m in after.items() if p != lock} == {
        p: m for p, m in marks.items() if p != lock
    }
    assert host.ran == []
    assert os.listdir(path(tree, store.JOURNAL)) == ["000001"]


def test_remove_brings_back_the_host_from_before(host: Systemd, tree: Tree) -> None:
    before = listing(tree)
    apply(host, tree)
    apply(host, tree, rendered(b"#!/bin/sh\n# new\n"))
    apply(host, tree, rendered(timer=False))
    path(tree, store.RUNS_LOG).write_text("a run\n")
    path(tree, f"{store.HOME}/mail-state").write_text("x")
    undo.remove(host, tree)
    assert listing(tree) == before
    assert host.units["certbot.timer"] == ["enabled", True]
    assert host.units["certtui-renew.timer"] == ["disabled", False]
    assert sorted(os.listdir(path(tree, store.HOME))) == ["lock", "runs.log"]
    with pytest.raises(Refused, match="nothing to take back"):
        undo.remove(host, tree)


def test_undo_goes_back_one_apply_at_a_time(host: Systemd, tree: Tree) -> None:
    start = listing(tree)
    apply(host, tree)
    first = listing(tree, home=True)
    apply(host, tree, rendered(b"#!/bin/sh\n# new\n"))
    undo.undo(host, tree)
    assert path(tree, SCRIPT).read_bytes() == b"#!/bin/sh\n"
    assert {k: v for k, v in listing(tree, home=True).items() if k != store.LOCK} == {
        k: v for k, v in first.items() if k != store.LOCK
    }
    undo.undo(host, tree)
    assert listing(tree) == start
    assert host.units["certbot.timer"] == ["enabled", True]


def test_a_switched_backend_takes_its_files_and_timer_away(host: Systemd, tree: Tree) -> None:
    apply(host, tree)
    host.ran.clear()
    apply(host, tree, rendered(timer=False))
    assert not path(tree, TIMER).exists()
    assert host.ran[0] == ("systemctl", "disable", "--now", "certtui-renew.timer")
    assert ("systemctl", "daemon-reload") in host.ran
    undo.undo(host, tree)
    assert path(tree, TIMER).exists()
    assert host.units["certtui-renew.timer"] == ["enabled", True]


def test_a_changed_timer_is_restarted(host: Systemd, tree: Tree) -> None:
    apply(host, tree)
    host.ran.clear()
    target = rendered()
    changed = Rendered(
        (*target.artifacts[:2], type(target.artifacts[2])(TIMER, b"[Timer]\n#2\n", 0o644, "")),
        target.units,
        verify=target.verify,
    )
    apply(host, tree, changed)
    assert ("systemctl", "restart", "certtui-renew.timer") in host.ran


def test_an_edited_file_is_a_conflict_and_nothing_is_written(host: Systemd, tree: Tree) -> None:
    apply(host, tree)
    path(tree, SCRIPT).write_bytes(b"mine\n")
    before = listing(tree, home=True)
    with pytest.raises(Refused, match="edited since certtui wrote it"):
        apply(host, tree, rendered(b"#!/bin/sh\n# new\n"))
    assert {k: v for k, v in listing(tree, home=True).items() if k != store.LOCK} == {
        k: v for k, v in before.items() if k != store.LOCK
    }


def test_a_foreign_file_is_replaced_only_by_force_and_comes_back(host: Systemd, tree: Tree) -> None:
    path(tree, SCRIPT).write_bytes(b"foreign\n")
    path(tree, SCRIPT).chmod(0o755)
    with pytest.raises(Refused, match="certtui did not write it"):
        apply(host, tree)
    apply(host, tree, consent=Consent(force=True))
    assert path(tree, SCRIPT).read_bytes() == b"#!/bin/sh\n"
    undo.remove(host, tree)
    assert path(tree, SCRIPT).read_bytes() == b"foreign\n"
    assert stat.S_IMODE(path(tree, SCRIPT).stat().st_mode) == 0o755


def test_keep_leaves_a_conflict_as_it_is(host: Systemd, tree: Tree) -> None:
    path(tree, SCRIPT).write_bytes(b"foreign\n")
    apply(host, tree, consent=Consent(keep=frozenset({SCRIPT})))
    assert path(tree, SCRIPT).read_bytes() == b"foreign\n"
    assert path(tree, TIMER).exists()
    undo.remove(host, tree)
    assert path(tree, SCRIPT).read_bytes() == b"foreign\n"


def test_a_drifted_mode_is_mended_without_force(host: Systemd, tree: Tree) -> None:
    apply(host, tree)
    path(tree, TIMER).chmod(0o666)
    apply(host, tree)
    assert stat.S_IMODE(path(tree, TIMER).stat().st_mode) == 0o644


def test_undo_stops_at_later_edits_and_force_saves_them(host: Systemd, tree: Tree) -> None:
    apply(host, tree)
    path(tree, SCRIPT).write_bytes(b"mine\n")
    with pytest.raises(Refused, match="edited since"):
        undo.undo(host, tree)
    assert path(tree, TIMER).exists()
    undo.undo(host, tree, force=True)
    assert not path(tree, SCRIPT).exists()
    (saved,) = path(tree, f"{store.HOME}/edited").iterdir()
    assert saved.read_bytes() == b"mine\n"


def test_a_file_deleted_by_hand_does_not_stop_remove(host: Systemd, tree: Tree) -> None:
    before = listing(tree)
    apply(host, tree)
    path(tree, SCRIPT).unlink()
    undo.remove(host, tree)
    assert listing(tree) == before


def test_the_plan_edited_in_place_is_kept_by_remove(host: Systemd, tree: Tree) -> None:
    apply(host, tree)
    path(tree, PLAN).write_bytes(b"version = 1\n# mine\n")
    said = [step.what for step in undo.remove(host, tree).steps]
    assert f"kept {PLAN}: it was edited by hand" in said
    assert path(tree, PLAN).read_bytes() == b"version = 1\n# mine\n"
    assert not path(tree, SCRIPT).exists()


@pytest.mark.parametrize("failing", ["daemon-reload", "enable", "disable"])
def test_a_failing_activation_takes_everything_back(
    host: Systemd, tree: Tree, failing: str
) -> None:
    before = listing(tree)
    host.fail = ("systemctl", failing)
    with pytest.raises(ApplyFailed, match="no, said systemd"):
        apply(host, tree)
    assert listing(tree) == before
    assert host.units["certbot.timer"] == ["enabled", True]
    assert not path(tree, f"{store.JOURNAL}/current").exists()


def test_units_that_systemd_refuses_are_never_enabled(host: Systemd, tree: Tree) -> None:
    host.fail = ("systemd-analyze", "verify")
    with pytest.raises(ApplyFailed):
        apply(host, tree)
    assert not any(command[1] == "enable" for command in host.ran)
    assert not path(tree, TIMER).exists()


def test_what_was_approved_is_what_is_applied(host: Systemd, tree: Tree) -> None:
    apply(host, tree)
    target = rendered(b"#!/bin/sh\n# new\n")
    seen = preview.draft(host, tree, target).preview
    path(tree, SCRIPT).write_bytes(b"swapped\n")
    with pytest.raises(Refused, match="changed since the preview"):
        apply(host, tree, target, approved=seen, consent=Consent(force=True))
    assert path(tree, SCRIPT).read_bytes() == b"swapped\n"


def test_refusals_hold_unless_forced(host: Systemd, tree: Tree) -> None:
    with pytest.raises(Refused, match="no mailer"):
        apply(host, tree, refusals=("no mailer",))
    assert not path(tree, SCRIPT).exists()
    apply(host, tree, refusals=("no mailer",), consent=Consent(force=True))
    assert path(tree, SCRIPT).exists()


def test_a_renamed_foreign_file_comes_back(host: Systemd, tree: Tree) -> None:
    path(tree, "/etc/cron.d").mkdir()
    path(tree, "/etc/cron.d/certbot").write_bytes(b"0 0 * * * root certbot renew\n")
    target = Rendered(
        rendered(timer=False).artifacts,
        renames=(Rename("/etc/cron.d/certbot", "/etc/cron.d/certbot.certtui-disabled", "one"),),
    )
    apply(host, tree, target)
    assert os.listdir(path(tree, "/etc/cron.d")) == ["certbot.certtui-disabled"]
    assert not apply(host, tree, target).changed
    undo.remove(host, tree)
    assert os.listdir(path(tree, "/etc/cron.d")) == ["certbot"]


def test_a_second_certtui_is_told_who_holds_the_lock(host: Systemd, tree: Tree) -> None:
    with locked(tree), pytest.raises(Locked, match=str(os.getpid())):
        apply(host, tree)
    assert apply(host, tree).changed


def test_steps_are_told_as_they_happen(host: Systemd, tree: Tree) -> None:
    told: list[Step] = []
    engine.apply(host, tree, rendered(), plan_text="", on_step=told.append)
    assert [step.what for step in told][:2] == [f"wrote {PLAN} (0600)", f"wrote {SCRIPT} (0700)"]
    assert all(step.ok for step in told)


def test_preview_states_and_diff(host: Systemd, tree: Tree) -> None:
    first = preview.draft(host, tree, rendered()).preview
    assert {change.state for change in first.files} == {"new"}
    assert first.files[1].diff().startswith(f"--- /dev/null\n+++ {SCRIPT}\t0700 ")
    assert first.files[1].counts() == (1, 0)
    apply(host, tree)
    after = preview.draft(host, tree, rendered()).preview
    assert not after.changed
    assert {change.state for change in after.files} == {"same"}
    changed = preview.draft(host, tree, rendered(b"x\n", timer=False)).preview
    assert [c.state for c in changed.files] == ["same", "changed", "removed"]
    assert not os.path.exists(tree.root + store.JOURNAL + "/current")


def test_a_damaged_state_is_one_sentence(host: Systemd, tree: Tree) -> None:
    apply(host, tree)
    path(tree, store.STATE).write_bytes(b"{")
    with pytest.raises(ApplyFailed, match=r"state\.json cannot be read"):
        apply(host, tree)


def test_taking_back_stops_our_timer_while_its_file_is_there(host: Systemd, tree: Tree) -> None:
    """A timer whose file vanishes while it runs is left behind as failed."""
    host.fail = ("systemctl", "disable", "--now", "certbot.timer")
    seen: list[bool] = []
    real = host._act

    def watch(verb: str, unit: str, now: bool) -> None:
        if (verb, unit) == ("stop", "certtui-renew.timer"):
            seen.append(path(tree, TIMER).exists())
        real(verb, unit, now)

    host._act = watch  # type: ignore[method-assign]
    with pytest.raises(ApplyFailed):
        apply(host, tree)
    assert seen == [True]
    assert not path(tree, TIMER).exists()
    assert host.units["certtui-renew.timer"] == ["disabled", False]


def test_undo_goes_on_where_the_vendors_unit_is_gone(host: Systemd, tree: Tree) -> None:
    """certbot was removed since: nobody can switch its timer on again."""
    apply(host, tree)
    host.vendor.clear()
    host.fail = ("systemctl", "enable", "certbot.timer")
    undo.undo(host, tree)
    assert not path(tree, SCRIPT).exists()


def test_a_file_whose_new_name_is_taken_stays_where_that_is_kept(host: Systemd, tree: Tree) -> None:
    old, new = "/etc/cron.d/certbot", "/etc/cron.d/certbot.certtui-disabled"
    path(tree, "/etc/cron.d").mkdir()
    path(tree, old).write_bytes(b"0 0 * * * root certbot renew\n")
    path(tree, new).write_bytes(b"# another's\n")
    target = Rendered(rendered(timer=False).artifacts, renames=(Rename(old, new, "one"),))
    apply(host, tree, target, consent=Consent(keep=frozenset({new})))
    assert path(tree, old).read_bytes() == b"0 0 * * * root certbot renew\n"
    assert path(tree, new).read_bytes() == b"# another's\n"
