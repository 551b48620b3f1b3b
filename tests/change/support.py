"""A throw-away root, a systemctl made of dictionaries, and a small rendered target."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from certtui.change.files import Tree
from certtui.host.interface import QUERY_TIMEOUT, Completed, RealHost
from certtui.render.artifact import Artifact, Rendered, UnitState

SCRIPT = "/usr/local/sbin/certbot-renew-everything"
TIMER = "/etc/systemd/system/certtui-renew.timer"
PLAN = "/etc/certtui/plan.toml"


class Systemd(RealHost):
    """Answers systemctl from memory: unit -> [file state, active]; anything else succeeds."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self.tree = tree
        self.units: dict[str, list[object]] = {"certbot.timer": ["enabled", True]}
        #: units that packages brought
        self.vendor = {"certbot.timer"}
        self.ran: list[tuple[str, ...]] = []
        self.fail: tuple[str, ...] = ()

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = QUERY_TIMEOUT,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        command = tuple(argv)
        if command[:2] == ("systemctl", "show"):
            return Completed(command, 0, self._show(command[command.index("--") + 1 :]), "")
        self.ran.append(command)
        if self.fail and command[: len(self.fail)] == self.fail:
            return Completed(command, 1, "", "no, said systemd")
        if command[0] == "systemctl":
            self._act(command[1], command[-1], "--now" in command)
        return Completed(command, 0, "", "")

    def _act(self, verb: str, unit: str, now: bool) -> None:
        state = self.units.setdefault(unit, ["disabled", False])
        if verb in ("enable", "disable"):
            state[0] = verb + "d"
        if verb in ("start", "restart") or (verb == "enable" and now):
            state[1] = True
        if verb == "stop" or (verb == "disable" and now):
            state[1] = False

    def _show(self, names: Sequence[str]) -> str:
        blocks = []
        for name in names:
            path = f"/etc/systemd/system/{name}"
            there = os.path.exists(self.tree.root + path) or name in self.vendor
            state = self.units.get(name, ["disabled", False])
            blocks.append(
                f"Id={name}\nUnitFileState={state[0] if there else ''}\n"
                f"ActiveState={'active' if state[1] else 'inactive'}\n"
                f"FragmentPath={path if there else ''}\n"
            )
        return "\n".join(blocks)


def new_root(folder: Path) -> Tree:
    for name in ("etc/systemd/system", "usr/local/sbin", "var/lib"):
        (folder / name).mkdir(parents=True)
    return Tree(str(folder))


def rendered(script: bytes = b"#!/bin/sh\n", *, timer: bool = True) -> Rendered:
    artifacts = [
        Artifact(PLAN, b"version = 1\n", 0o600, "the plan"),
        Artifact(SCRIPT, script, 0o700, "renews"),
    ]
    off = UnitState("certbot.timer", False, "one renewer is enough")
    if not timer:
        return Rendered(tuple(artifacts), (off,))
    artifacts.append(Artifact(TIMER, b"[Timer]\n", 0o644, "starts it"))
    on = UnitState("certtui-renew.timer", True, "starts it", ours=True)
    return Rendered(tuple(artifacts), (on, off), verify=(TIMER,))


Listing = dict[str, tuple[int, bytes]]


def listing(tree: Tree, *, home: bool = False) -> Listing:
    """Every path below the root with its mode and content; certtui's own folder left out."""
    found: Listing = {}
    for folder, names, files in os.walk(tree.root):
        for name in names + files:
            path = os.path.join(folder, name)
            shown = path.removeprefix(tree.root)
            if not home and shown.startswith("/var/lib/certtui"):
                continue
            content = b"" if name in names else Path(path).read_bytes()
            found[shown] = (os.lstat(path).st_mode, content)
    return found
