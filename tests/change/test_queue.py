"""at's queue through apply, undo and remove: no job without its script, no script without it."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from certtui.change import apply as engine
from certtui.change import jobs, preview, store, undo
from certtui.change.apply import Consent
from certtui.change.files import Tree
from certtui.change.jobs import Queue
from certtui.change.model import Preview, Result
from certtui.change.provision import Provision
from certtui.errors import ApplyFailed, Refused
from certtui.host.facts import Service
from certtui.host.interface import QUERY_TIMEOUT, Completed
from certtui.plan.document import Document
from certtui.render.artifact import Rendered
from certtui.workflow import Job
from tests.change.at import BLOCK, DUE, RANDOM, AtHost, queue, target
from tests.change.support import TIMER, listing, new_root, rendered
from tests.change.test_requirements import FACTS

CRON = rendered(timer=False)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return new_root(tmp_path / "root")


@pytest.fixture
def host(tree: Tree) -> AtHost:
    return AtHost(tree)


def apply(
    host: AtHost,
    tree: Tree,
    wanted: Rendered,
    *,
    consent: Consent | None = None,
    approved: Preview | None = None,
    activate: bool = True,
) -> Result:
    return engine.apply(
        host,
        tree,
        wanted,
        plan_text="version = 1\n",
        queue=queue(wanted.queue) if wanted.queue else Queue(),
        consent=consent,
        approved=approved,
        activate=activate,
    )


def shown(host: AtHost, tree: Tree, wanted: Rendered) -> list[tuple[str, ...]]:
    """The commands of a preview."""
    wants = queue(wanted.queue) if wanted.queue else Queue()
    seen = preview.draft(host, tree, wanted, queue=wants).preview
    return [action.argv for action in seen.actions]


def home(tree: Tree) -> list[str]:
    """The names in certtui's own folder."""
    return sorted(path.name for path in Path(tree.root + store.HOME).iterdir())


def test_the_last_command_queues_the_job_and_a_second_apply_has_none(
    host: AtHost, tree: Tree
) -> None:
    expected = shown(host, tree, target())
    assert expected[-1] == (RANDOM, "queue")
    assert host.ran == []
    assert apply(host, tree, target()).changed
    assert host.ran == expected
    assert host.scripts() == [RANDOM]
    host.ran.clear()
    assert shown(host, tree, target()) == []
    assert not apply(host, tree, target()).changed
    assert host.ran == []


def test_a_lost_job_is_queued_again(host: AtHost, tree: Tree) -> None:
    apply(host, tree, target())
    host.queue = {}
    assert shown(host, tree, target()) == [(RANDOM, "queue")]
    assert apply(host, tree, target()).changed
    assert host.scripts() == [RANDOM]


def test_nothing_is_queued_while_nothing_need_be(host: AtHost, tree: Tree) -> None:
    """at-block after the minute of its block: the next block's start queues the next."""
    apply(host, tree, target(BLOCK))
    host.queue = {}
    seen = preview.draft(host, tree, target(BLOCK), queue=Queue(BLOCK, None)).preview
    assert not seen.changed


def test_a_job_at_another_minute_does_not_count(host: AtHost, tree: Tree) -> None:
    apply(host, tree, target())
    host.queue = {}
    host.add(RANDOM, DUE[RANDOM] + timedelta(minutes=1))
    host.add(BLOCK, DUE[RANDOM])
    assert shown(host, tree, target()) == [("atrm", "2"), (RANDOM, "queue")]
    apply(host, tree, target())
    (job,) = host.queue.values()
    assert (job["script"], job["when"]) == (RANDOM, DUE[RANDOM].isoformat())


def test_a_changed_script_queues_anew(host: AtHost, tree: Tree) -> None:
    apply(host, tree, target())
    changed = target(content=b"#!/bin/sh\n# another queue, other runs\n")
    assert shown(host, tree, changed) == [(RANDOM, "queue")]
    apply(host, tree, changed)
    host.ran.clear()
    undo.undo(host, tree)
    assert host.ran == [(RANDOM, "queue")]


@pytest.mark.parametrize("wanted", [CRON, target(BLOCK)], ids=["cron", "at-block"])
def test_a_backend_without_the_script_takes_its_jobs_away_first(
    host: AtHost, tree: Tree, wanted: Rendered
) -> None:
    apply(host, tree, target())
    seen: list[bool] = []
    watch(host, "atrm", lambda: seen.append(Path(tree.root + RANDOM).exists()))
    assert ("atrm", "1") in shown(host, tree, wanted)
    apply(host, tree, wanted)
    assert seen == [True]
    assert host.scripts() == ([BLOCK] if wanted.queue else [])
    assert not apply(host, tree, wanted).changed

    undo.undo(host, tree)
    assert host.scripts() == [RANDOM]
    assert not apply(host, tree, target()).changed


def test_the_slots_of_one_script_are_unknown_to_the_other(host: AtHost, tree: Tree) -> None:
    apply(host, tree, target())
    states: list[bool] = []
    state = Path(f"{tree.root}{store.HOME}/at-state")
    watch(host, BLOCK, lambda: states.append(state.exists()))
    apply(host, tree, target(BLOCK))
    assert states == [False]
    assert state.read_text() == f"{BLOCK}\n"
    undo.undo(host, tree)
    assert state.read_text() == f"{RANDOM}\n"
    apply(host, tree, CRON)
    assert "at-state" not in home(tree)
    assert "at-lock" not in home(tree)


def test_undo_of_the_first_apply_and_remove_leave_an_empty_queue(host: AtHost, tree: Tree) -> None:
    before = listing(tree)
    apply(host, tree, target())
    undo.undo(host, tree)
    assert (host.scripts(), listing(tree)) == ([], before)
    apply(host, tree, target())
    apply(host, tree, target(BLOCK))
    apply(host, tree, target(content=b"#!/bin/sh\n# new\n"))
    Path(f"{tree.root}{store.HOME}/at-state.new").write_text("half")
    undo.remove(host, tree)
    assert (host.scripts(), listing(tree), home(tree)) == ([], before, ["lock"])
    with pytest.raises(Refused, match="nothing to take back"):
        undo.undo(host, tree)


def test_others_jobs_and_a_running_one_stay(host: AtHost, tree: Tree) -> None:
    apply(host, tree, target())
    theirs = [
        host.add("/usr/bin/backup", DUE[RANDOM]),
        host.add(RANDOM, DUE[RANDOM], user="alice"),
        host.add(RANDOM, DUE[RANDOM], letter="="),
    ]
    undo.remove(host, tree)
    assert list(host.queue) == theirs


def test_without_units_the_queue_is_kept_all_the_same(host: AtHost, tree: Tree) -> None:
    """A host without systemd as process 1: cron starts the script."""
    wanted = target(timer=False)
    apply(host, tree, wanted, activate=False)
    assert host.ran == [(RANDOM, "queue")]
    assert not apply(host, tree, wanted, activate=False).changed
    undo.remove(host, tree)
    assert host.ran == [(RANDOM, "queue"), ("atrm", "1")]


def test_files_only_touches_no_queue(host: AtHost, tree: Tree) -> None:
    host.add(RANDOM, DUE[RANDOM])
    engine.apply(host, tree, target(), plan_text="", activate=False)
    undo.remove(host, tree)
    assert host.ran == []
    assert host.scripts() == [RANDOM]


def test_a_host_without_at_has_no_queue(tree: Tree) -> None:
    host = AtHost(tree, installed=False)
    apply(host, tree, CRON)
    undo.remove(host, tree)
    assert {argv[0] for argv in host.ran} == {"systemctl"}


def test_a_script_that_cannot_queue_takes_everything_back(host: AtHost, tree: Tree) -> None:
    apply(host, tree, target())
    before, units = listing(tree), dict(host.units)
    host.fail = (BLOCK, "queue")
    with pytest.raises(ApplyFailed, match="certbot-at-block queue` failed: no, said"):
        apply(host, tree, target(BLOCK))
    assert (listing(tree), host.units) == (before, units)
    assert host.scripts() == [RANDOM]
    assert not Path(f"{tree.root}{store.JOURNAL}/current").exists()


def test_a_first_apply_that_cannot_queue_leaves_nothing(host: AtHost, tree: Tree) -> None:
    before = listing(tree)
    state = Path(f"{tree.root}{store.HOME}/at-state")
    watch(host, RANDOM, lambda: state.write_text("slot=1\n"))
    host.fail = (RANDOM, "queue")
    with pytest.raises(ApplyFailed):
        apply(host, tree, target())
    assert (listing(tree), host.scripts()) == (before, [])
    assert home(tree) == ["journal", "lock"]


def test_a_job_that_fires_meanwhile_is_no_failure(host: AtHost, tree: Tree) -> None:
    apply(host, tree, target())
    watch(host, "atrm", lambda: setattr(host, "queue", {}))
    result = apply(host, tree, CRON)
    (step,) = [step for step in result.steps if step.what == "atrm 1"]
    assert (step.ok, step.message) == (True, "Cannot find jobid 1")


def test_a_job_that_cannot_be_removed_is_one(host: AtHost, tree: Tree) -> None:
    apply(host, tree, target())
    host.fail = ("atrm",)
    with pytest.raises(ApplyFailed, match="`atrm 1` failed"):
        apply(host, tree, CRON)
    assert Path(tree.root + RANDOM).exists()
    host.fail = ()
    apply(host, tree, CRON)


def test_a_job_queued_while_its_script_went_goes_too(host: AtHost, tree: Tree) -> None:
    apply(host, tree, target())
    watch(host, "systemctl", lambda: host.queue or host.add(RANDOM, DUE[RANDOM]))
    assert apply(host, tree, CRON).steps[-1].what.startswith("atrm ")
    assert host.scripts() == []
    undo.undo(host, tree)
    undo.remove(host, tree)
    assert host.scripts() == []


def test_a_foreign_script_is_never_started(host: AtHost, tree: Tree) -> None:
    script = Path(tree.root + RANDOM)
    script.write_bytes(b"foreign\n")
    script.chmod(0o755)
    apply(host, tree, target(), consent=Consent(keep=frozenset({RANDOM})))
    assert (RANDOM, "queue") not in host.ran
    undo.undo(host, tree)
    apply(host, tree, target(), consent=Consent(force=True))
    assert host.ran.count((RANDOM, "queue")) == 1
    undo.undo(host, tree)
    assert script.read_bytes() == b"foreign\n"
    assert host.ran.count((RANDOM, "queue")) == 1


def test_an_edited_script_that_comes_back_is_not_started(host: AtHost, tree: Tree) -> None:
    apply(host, tree, target())
    Path(tree.root + RANDOM).write_bytes(b"mine\n")
    host.ran.clear()
    host.fail = (RANDOM, "queue")
    changed = target(content=b"#!/bin/sh\n# new\n")
    with pytest.raises(ApplyFailed):
        apply(host, tree, changed, consent=Consent(force=True))
    assert Path(tree.root + RANDOM).read_bytes() == b"mine\n"
    assert host.ran.count((RANDOM, "queue")) == 1
    assert host.scripts() == [RANDOM]


def test_jobs_are_part_of_what_was_approved(host: AtHost, tree: Tree) -> None:
    apply(host, tree, target())
    seen = preview.draft(host, tree, CRON, queue=Queue()).preview
    host.queue = {}
    host.add(RANDOM, DUE[RANDOM])
    host.add(RANDOM, DUE[RANDOM])
    with pytest.raises(Refused, match="changed since the preview"):
        apply(host, tree, CRON, approved=seen)


def test_a_journal_of_an_earlier_certtui_can_be_taken_back(host: AtHost, tree: Tree) -> None:
    before = listing(tree)
    apply(host, tree, rendered())
    intent = Path(f"{tree.root}{store.JOURNAL}/000001/intent.json")
    data = json.loads(intent.read_text())
    for key in ("services", "scripts", "packages"):
        del data[key]
    intent.write_text(json.dumps(data))
    undo.remove(host, tree)
    assert listing(tree) == before


def test_the_timer_stops_before_the_jobs_go(host: AtHost, tree: Tree) -> None:
    """Else it could start the script, which would queue again."""
    apply(host, tree, target())
    host.ran.clear()
    undo.remove(host, tree)
    assert host.ran.index(("systemctl", "stop", "certtui-renew.timer")) < host.ran.index(
        ("atrm", "1")
    )
    assert not Path(tree.root + TIMER).exists()


def watch(host: AtHost, program: str, act: Callable[[], object]) -> None:
    """Does something just before each run of a program."""
    real = host.run

    def run(
        argv: Sequence[str],
        *,
        timeout: float = QUERY_TIMEOUT,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        if argv[0] == program and argv[1] != "show":
            act()
        return real(argv, timeout=timeout, env=env, stdin=stdin)

    host.run = run  # type: ignore[method-assign]


def test_a_script_at_work_is_waited_for(host: AtHost, tree: Tree) -> None:
    """Else it would queue its job when its script and the jobs are gone."""
    apply(host, tree, target())
    lock = os.open(f"{tree.root}{store.HOME}/at-lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)

    def end() -> None:
        host.add(RANDOM, DUE[RANDOM])
        Path(f"{tree.root}{store.HOME}/at-state").write_text("slot=1\n")
        os.close(lock)

    timer = threading.Timer(0.5, end)
    watch(host, "atrm", lambda: None if timer.ident else timer.start())
    undo.remove(host, tree)
    timer.join()
    assert (host.scripts(), home(tree)) == ([], ["lock"])


def test_a_script_that_hangs_is_not_waited_for_without_end(
    host: AtHost, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(host, tree, target())
    monkeypatch.setattr(jobs, "_PATIENCE", 0.2)
    with open(f"{tree.root}{store.HOME}/at-lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        undo.remove(host, tree)
    assert (host.scripts(), home(tree)) == ([], ["lock"])


def test_what_a_changed_script_noted_is_forgotten(host: AtHost, tree: Tree) -> None:
    """Its slots may be others: counted by another clock, for one."""
    apply(host, tree, target())
    state = Path(f"{tree.root}{store.HOME}/at-state")
    seen: list[bool] = []
    watch(host, RANDOM, lambda: seen.append(state.exists()))
    host.queue = {}
    apply(host, tree, target())
    assert seen == [True]
    apply(host, tree, target(content=b"#!/bin/sh\n# new\n"))
    undo.undo(host, tree)
    assert seen == [True, False, False]
    assert Path(f"{tree.root}{store.HOME}/at-lock").exists()


def test_below_another_root_there_is_no_queue_and_nothing_is_installed(tmp_path: Path) -> None:
    text = 'version = 1\n[schedule]\nbackend = "at-random"\ninstall_packages = true\n'
    bare = replace(FACTS, atd=Service("atd", False))
    document = Document(text, "plan.toml")
    elsewhere = Job(document, str(tmp_path), known=bare)
    assert (elsewhere.queue(), elsewhere.provision) == (None, Provision())
    here = Job(document, known=bare)
    wants = here.queue()
    assert wants is not None
    assert (wants.script, wants.when is None) == (RANDOM, False)
    assert here.provision.packages == ("at",)
