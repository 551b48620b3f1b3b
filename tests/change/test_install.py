"""schedule.install_packages: what is missing is installed, started, and put back but for packages.

apt really installs in tests/host/test_install.py.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from certtui.change import apply as engine
from certtui.change import provision, store, undo
from certtui.change.files import Tree
from certtui.change.model import COMMAND_TIMEOUT, Step
from certtui.change.provision import Provision
from certtui.change.requirements import lacking
from certtui.errors import ApplyFailed, Ended
from certtui.host.facts import Facts, Service
from certtui.host.interface import QUERY_TIMEOUT, Completed
from certtui.plan.model import Plan
from tests.change.kill import killed
from tests.change.support import Systemd, listing, new_root, rendered
from tests.change.test_requirements import FACTS, Files, plan

APT = ("apt-get", "install", "-y", "--no-install-recommends", "at")
ENABLE = ("systemctl", "enable", "--now", "atd.service")
FLOCK = "/usr/bin/flock"


def bare(manager: str = "apt", init: str = "systemd") -> Facts:
    """A host with neither at nor cron."""
    return replace(
        FACTS,
        system=replace(FACTS.system, package_manager=manager, init=init),
        cron=Service("cron", False),
        atd=Service("atd", False),
    )


def wanted(backend: str = "at-random", **more: Any) -> Plan:
    return plan(schedule__backend=backend, schedule__install_packages=True, **more)


def argvs(made: Plan, facts: Facts, *paths: str) -> list[tuple[str, ...]]:
    """The commands, of a host on which only these paths are there."""
    return [action.argv for action in provision.provision(made, facts, Files(*paths)).actions]


@pytest.mark.parametrize(
    ("manager", "install", "cron"),
    [
        ("apt", "apt-get install -y --no-install-recommends at cron", "cron.service"),
        ("dnf", "dnf install -y at cronie", "crond.service"),
        ("zypper", "zypper --non-interactive install --no-recommends at cron", "cron.service"),
        ("pacman", "pacman -S --noconfirm at cronie", "cronie.service"),
    ],
)
def test_each_package_manager_with_systemd(manager: str, install: str, cron: str) -> None:
    made = wanted(schedule__trigger="cron")
    assert argvs(made, bare(manager), FLOCK) == [
        tuple(install.split()),
        ENABLE,
        ("systemctl", "enable", "--now", cron),
    ]


def test_apk_with_openrc() -> None:
    """At both daemons: to the runlevel, and started."""
    assert argvs(wanted(), bare("apk", "other"), FLOCK, "/sbin/rc-service") == [
        ("apk", "add", "at", "cronie"),
        ("rc-update", "add", "atd", "default"),
        ("rc-service", "atd", "start"),
        ("rc-update", "add", "cronie", "default"),
        ("rc-service", "cronie", "start"),
    ]


def test_apt_without_systemd() -> None:
    assert argvs(wanted(), bare("apt", "other"), FLOCK) == [
        ("apt-get", "install", "-y", "--no-install-recommends", "at", "cron"),
        ("service", "atd", "start"),
        ("service", "cron", "start"),
    ]
    # A daemon that is there has its own name: busybox's, for one.
    stopped = replace(bare("apk", "other"), cron=Service("cron", True))
    paths = (FLOCK, "/sbin/rc-service", "/etc/init.d/crond", "/etc/runlevels/default/crond")
    assert argvs(wanted("cron"), stopped, *paths) == [("rc-service", "crond", "start")]


def test_flock_is_of_util_linux_and_no_daemon() -> None:
    made = provision.provision(wanted(), FACTS, Files())
    (action,) = made.actions
    assert action.argv[-1] == "util-linux"
    assert (made.units, made.packages) == ((), ("util-linux",))


def test_only_what_is_missing_is_brought() -> None:
    assert argvs(wanted(), FACTS, FLOCK) == []
    assert argvs(wanted("systemd-timer"), bare(), FLOCK) == []
    disabled = replace(FACTS, atd=Service("atd", True, "atd.service", False, True))
    stopped = replace(FACTS, atd=Service("atd", True, "atd.service", True, False))
    for facts in (disabled, stopped):
        assert argvs(wanted(), facts, FLOCK) == [ENABLE]


def test_consent_is_the_plans() -> None:
    """Without it apply refuses and names the very command that it would have run with it."""
    without = plan(schedule__backend="at-random")
    assert argvs(without, bare(), FLOCK) == []
    (lack,) = lacking(without, bare(), Files(FLOCK))
    assert lack.message == f'backend "at-random" needs atd: {" ".join(APT)}'
    assert lacking(wanted(), bare(), Files(FLOCK)) == []
    # Consent is of no use where nobody knows how.
    for facts in (bare(""), replace(FACTS, atd=Service("atd", True))):
        assert argvs(wanted(), facts, FLOCK) == []
        assert [lack.what for lack in lacking(wanted(), facts, Files(FLOCK))] == ["scheduler"]


def test_cron_brings_its_folder() -> None:
    assert provision.foreseen(wanted("cron"), bare(), Files()).has_cron_d
    assert not provision.foreseen(wanted("at-random"), bare(), Files()).has_cron_d
    assert not provision.foreseen(plan(schedule__backend="cron"), bare(), Files()).has_cron_d


class Installs(Systemd):
    """apt-get brings a unit that is on, as Debian's does."""

    def __init__(self, tree: Tree) -> None:
        super().__init__(tree)
        self.given: list[tuple[float, dict[str, str]]] = []
        self.says: Completed | None = None

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = QUERY_TIMEOUT,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        if argv[0] == "apt-get":
            self.given.append((timeout, dict(env or {})))
            if self.says is not None:
                return self.says
            self.vendor.add("atd.service")
            self.units["atd.service"] = ["enabled", True]
        return super().run(argv, timeout=timeout, env=env, stdin=stdin)


def provided(facts: Facts | None = None) -> Provision:
    return provision.provision(wanted(), facts or bare(), Files(FLOCK))


def apply(host: Systemd, tree: Tree, made: Provision | None = None) -> list[Step]:
    result = engine.apply(
        host, tree, rendered(), plan_text="", provision=made if made is not None else provided()
    )
    return list(result.steps)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return new_root(tmp_path / "root")


def test_it_is_installed_first_and_stays(tree: Tree) -> None:
    host = Installs(tree)
    before = listing(tree)
    steps = apply(host, tree)
    assert [step.what for step in steps[:2]] == [" ".join(APT), " ".join(ENABLE)]
    assert steps[2].what.startswith("wrote ")
    assert host.given == [(600.0, {"DEBIAN_FRONTEND": "noninteractive"})]
    assert apply(host, tree, Provision()) == []  # the facts are others now

    said = [step.what for step in undo.remove(host, tree).steps]
    assert "the package at stays installed" in said
    assert host.units["atd.service"] == ["disabled", False]
    assert not any("clean" in command and "atd.service" in command for command in host.ran)
    assert listing(tree) == before


@pytest.mark.parametrize("state", [["disabled", False], ["enabled", False], ["disabled", True]])
def test_a_daemon_is_put_back_as_it_was(tree: Tree, state: list[Any]) -> None:
    host = Systemd(tree)
    host.vendor.add("atd.service")
    host.units["atd.service"] = list(state)
    service = Service("atd", True, "atd.service", state[0] == "enabled", state[1])
    apply(host, tree, provided(replace(FACTS, atd=service)))
    assert host.units["atd.service"] == ["enabled", True]
    undo.undo(host, tree)
    assert host.units["atd.service"] == state


def test_undo_of_a_later_apply_leaves_the_daemon_on(tree: Tree) -> None:
    host = Installs(tree)
    apply(host, tree)
    engine.apply(host, tree, rendered(b"#!/bin/sh\n# new\n"), plan_text="")
    undo.undo(host, tree)
    assert host.units["atd.service"] == ["enabled", True]
    undo.undo(host, tree)
    assert host.units["atd.service"] == ["disabled", False]


def test_a_failed_install_is_one_sentence_and_nothing_is_written(tree: Tree) -> None:
    host = Installs(tree)
    before = listing(tree)
    err = "E: Some index files failed\n\nW: a warning\nE: one\nE: Unable to locate package at\n"
    host.says = Completed(APT, 100, "Reading package lists...\n", err)
    told: list[Step] = []
    with pytest.raises(ApplyFailed) as caught:
        engine.apply(
            host, tree, rendered(), plan_text="", provision=provided(), on_step=told.append
        )
    assert str(caught.value) == (
        f"`{' '.join(APT)}` failed: W: a warning / E: one / E: Unable to locate package at"
    )
    assert listing(tree) == before
    assert [(step.what, step.ok) for step in told] == [
        (" ".join(APT), False),
        ("everything taken back", True),
    ]
    assert sorted(p.name for p in Path(tree.root + store.HOME).iterdir()) == ["journal", "lock"]


def test_a_manager_that_complains_on_stdout_is_quoted_too(tree: Tree) -> None:
    host = Installs(tree)
    host.says = Completed(APT, 1, "No provider of 'at' found.\n", "  \n")
    with pytest.raises(ApplyFailed, match=r"failed: No provider of 'at' found\.$"):
        apply(host, tree)


def test_what_fails_later_says_that_the_package_stays(tree: Tree) -> None:
    host = Installs(tree)
    host.fail = ("systemd-analyze",)
    told: list[str] = []
    with pytest.raises(ApplyFailed):
        engine.apply(
            host,
            tree,
            rendered(),
            plan_text="",
            provision=provided(),
            on_step=lambda step: told.append(step.what),
        )
    assert told[-2:] == ["everything taken back", "the package at stays installed"]
    assert host.units["atd.service"] == ["disabled", False]


def test_a_signal_waits_for_the_package_manager(tree: Tree) -> None:
    """Killed in the middle it would leave packages half installed."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Ended(number)

    host = Installs(tree)
    before, handler = listing(tree), signal.signal(signal.SIGTERM, end)
    host.units = Interrupting(host.units)
    told: list[str] = []
    try:
        with pytest.raises(Ended):
            engine.apply(
                host,
                tree,
                rendered(),
                plan_text="",
                provision=provided(),
                on_step=lambda step: told.append(step.what),
            )
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert told == [" ".join(APT), "everything taken back", "the package at stays installed"]
    assert ENABLE not in host.ran
    assert listing(tree) == before
    assert host.units["atd.service"] == ["disabled", False]


class Interrupting(dict[str, list[object]]):
    """Raises SIGTERM when the package's unit is put in: in the middle of the installation."""

    def __setitem__(self, name: str, state: list[object]) -> None:
        signal.raise_signal(signal.SIGTERM)
        super().__setitem__(name, state)


@pytest.mark.usefixtures("no_sync")
def test_killed_after_the_installation_the_daemon_is_put_back(tree: Tree) -> None:
    host = Installs(tree)

    def die() -> None:
        host.fail = ("systemctl", "enable", "--now", "atd.service")
        engine.apply(host, tree, rendered(), plan_text="", provision=provided())

    points = 1
    while killed(die, points) and not Path(f"{tree.root}{store.JOURNAL}/current").exists():
        engine.recover(host, tree)
        points += 1
    # What the child did is not in this process: the package came, and its unit is on.
    host.vendor.add("atd.service")
    host.units["atd.service"] = ["enabled", True]
    step = engine.recover(host, tree)
    assert step is not None
    assert "an interrupted apply was taken back" in step.what
    assert host.units["atd.service"] == ["disabled", False]


class Services(Systemd):
    """A host without systemd: service(8), or OpenRC with its folder of the default runlevel."""

    def __init__(self, tree: Tree, *, openrc: bool) -> None:
        super().__init__(tree)
        self.openrc = openrc
        self.root = tree.root
        self.started: set[str] = set()

    def which(self, program: str) -> str | None:
        return "/sbin/rc-service" if self.openrc and program == "rc-service" else None

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = COMMAND_TIMEOUT,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        command = tuple(argv)
        if command[2:] == ("status",):
            return Completed(command, 0 if command[1] in self.started else 3, "", "")
        done = super().run(argv, timeout=timeout, env=env, stdin=stdin)
        if command[2:] == ("start",):
            self.started.add(command[1])
        elif command[2:] == ("stop",):
            self.started.remove(command[1])
        elif command[0] == "rc-update":
            link = Path(f"{self.root}/etc/runlevels/default/{command[2]}")
            link.touch() if command[1] == "add" else link.unlink()
        return done


@pytest.mark.parametrize("openrc", [True, False], ids=["openrc", "service"])
def test_without_systemd_a_daemon_is_put_back_too(tree: Tree, openrc: bool) -> None:
    Path(f"{tree.root}/etc/runlevels/default").mkdir(parents=True)
    host = Services(tree, openrc=openrc)
    before = listing(tree)
    stopped = replace(
        bare("apk" if openrc else "apt", "other"),
        atd=Service("atd", True),
        cron=Service("cron", True, running=True),
    )
    made = provision.provision(wanted(), stopped, Files(FLOCK, *["/sbin/rc-service"][:openrc]))
    assert (made.units, made.services) == ((), ("atd",))

    def change(*, fail: tuple[str, ...] = ()) -> None:
        host.fail = fail
        target = rendered(timer=False)
        engine.apply(host, tree, target, plan_text="", activate=False, provision=made)

    change()
    assert host.started == {"atd"}
    added = Path(f"{tree.root}/etc/runlevels/default/atd")
    assert added.exists() is openrc
    undo.undo(host, tree)
    assert (host.started, listing(tree)) == (set(), before)
    with pytest.raises(ApplyFailed):
        change(fail=("rc-service" if openrc else "service", "atd", "start"))
    assert (host.started, listing(tree)) == (set(), before)


def test_without_systemd_nothing_is_promised_of_the_next_boot() -> None:
    def notes(*paths: str) -> list[str]:
        made = provision.provision(wanted("cron"), bare("apt", "other"), Files(FLOCK, *paths))
        return [action.why for action in made.actions if action.argv[0] != "apt-get"]

    assert notes() == ['backend "cron" needs cron']
    assert set(notes("/sbin/rc-service")) == {'backend "cron" needs cron, also after a reboot'}
