"""systemd units as they are and must be: which commands to run, and how to put them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from certtui.change.model import Action
from certtui.host.interface import Host
from certtui.host.units import blocks, is_active
from certtui.render.artifact import UnitState

UNIT_FOLDER = "/etc/systemd/system/"


@dataclass(frozen=True)
class Enablement:
    """How a unit stands. ``file_state`` is systemctl(1) is-enabled's word, empty if unknown."""

    file_state: str
    active: bool
    fragment: str = ""

    @property
    def enabled(self) -> bool:
        return self.file_state in ("enabled", "enabled-runtime")

    def to_json(self) -> dict[str, Any]:
        return {"file_state": self.file_state, "active": self.active}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Enablement:
        return cls(str(data["file_state"]), bool(data["active"]))


ABSENT = Enablement("", False)


def query(host: Host, units: Iterable[str]) -> dict[str, Enablement]:
    """How units stand, by one ``systemctl show``; those unknown to systemd are :data:`ABSENT`."""
    names = list(dict.fromkeys(units))
    if not names:
        return {}
    answer = host.run(
        ["systemctl", "show", "-p", "Id,UnitFileState,ActiveState,FragmentPath", "--", *names]
    )
    found: dict[str, Enablement] = {}
    for values in blocks(answer.out):
        if "Id" in values:
            found[values["Id"]] = Enablement(
                values.get("UnitFileState", ""),
                is_active(values),
                values.get("FragmentPath", ""),
            )
    return {name: found.get(name, ABSENT) for name in names}


def before_files(retired: Sequence[str], now: Mapping[str, Enablement]) -> list[Action]:
    """Units of ours that go: switched off while systemd still knows them."""
    return [
        Action(("systemctl", "disable", "--now", unit), "no longer part of the plan")
        for unit in retired
        if now[unit].enabled or now[unit].active
    ]


def after_files(
    wanted: Sequence[UnitState],
    now: Mapping[str, Enablement],
    changed: Sequence[str],
    verify: Sequence[str],
) -> list[Action]:
    """Reload, verify, switch ours on, then others off: at no moment does nothing renew."""
    actions: list[Action] = []
    if changed:
        actions.append(Action(("systemctl", "daemon-reload"), "systemd reads the changed units"))
    if verify and set(verify) & set(changed):
        actions.append(Action(verify_argv(verify), "systemd checks the units"))
    for unit in wanted:
        if unit.on:
            restart = UNIT_FOLDER + unit.unit in changed
            actions += _switch_on(unit, now[unit.unit], restart)
    for unit in wanted:
        state = now[unit.unit]
        if not unit.on and (state.enabled or state.active):
            actions.append(Action(("systemctl", "disable", "--now", unit.unit), unit.why))
    return actions


def verify_argv(paths: Sequence[str]) -> tuple[str, ...]:
    """A vendor unit's fault is not ours, hence no recursion (systemd-analyze(1), from 250)."""
    return ("systemd-analyze", "verify", "--recursive-errors=no", *paths)


def _switch_on(unit: UnitState, state: Enablement, restart: bool) -> list[Action]:
    if not state.enabled and not state.active:
        return [Action(("systemctl", "enable", "--now", unit.unit), unit.why)]
    actions = []
    if not state.enabled:
        actions.append(Action(("systemctl", "enable", unit.unit), unit.why))
    if restart or not state.active:
        actions.append(Action(("systemctl", "restart", unit.unit), unit.why))
    return actions


def switch_off(host: Host, before: Mapping[str, Enablement]) -> list[str]:
    """Stops and disables what was off, while systemd still has its file: else it counts as failed.

    Gives what could not be done, as sentences.
    """
    now = query(host, before)
    return run(
        host, [argv for unit, then in before.items() for argv in _off(unit, now[unit], then)]
    )


def restore(host: Host, before: Mapping[str, Enablement], *, reload: bool) -> list[str]:
    """Puts units back as they were, their files being back; what could not be, as sentences."""
    if reload:
        host.run(["systemctl", "daemon-reload"])
    now = query(host, before)
    commands = [
        argv
        for unit, then in before.items()
        for argv in (*_on(unit, now[unit], then), *_off(unit, now[unit], then))
    ]
    failed = run(host, commands)
    # A systemctl of the apply that was killed may have gone on, and started a timer whose file
    # went away under it: systemd keeps such a one as failed. For one that is fine this is an error.
    for unit in (unit for unit, then in before.items() if not then.file_state):
        host.run(["systemctl", "reset-failed", unit])
    return failed


def run(host: Host, commands: Sequence[Sequence[str]]) -> list[str]:
    """Runs commands one after the other; those that failed, as sentences."""
    failed: list[str] = []
    for argv in commands:
        done = host.run(argv, timeout=60)
        if not done.ok:
            failed.append(f"{' '.join(argv)}: {done.text}")
    return failed


def _on(unit: str, now: Enablement, then: Enablement) -> list[list[str]]:
    commands = []
    if then.enabled and not now.enabled:
        commands.append(["systemctl", "enable", unit])
    if then.active and not now.active:
        commands.append(["systemctl", "start", unit])
    return commands


def _off(unit: str, now: Enablement, then: Enablement) -> list[list[str]]:
    commands = []
    if now.enabled and not then.enabled:
        commands.append(["systemctl", "disable", unit])
    if now.active and not then.active:
        commands.append(["systemctl", "stop", unit])
    return commands
