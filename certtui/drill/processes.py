"""The processes of a drill: its own script, found by the drill's id, and all below it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass

from certtui.drill.model import Clock
from certtui.host.interface import Host

#: Seconds that the script is given to end; it answers at once, a mailer may not.
_PATIENCE = 10.0


def of(host: Host, drill: str) -> list[int]:
    """Those that were started for a drill: it is in the environment that they were given."""
    mark = f"CERTTUI_DRILL={drill}".encode()
    found = []
    for name in host.names("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        with contextlib.suppress(PermissionError):  # not of ours, who are root
            if mark in (host.read(f"/proc/{name}/environ") or b"").split(b"\0"):
                found.append(int(name))
    return found


def end(host: Host, drill: str, clock: Clock) -> list[str]:
    """Ends the script of a drill, and what it has started; problems as sentences."""
    begun = _tops(host, of(host, drill))
    if not begun:
        return []
    # Before it is told: what is deaf to it is nobody's child any more when the script has ended.
    whole = below(host, begun)
    _send(begun, signal.SIGTERM)
    if clock.wait(lambda: not left(host, whole), clock.now() + _PATIENCE):
        return []
    kill(host, whole)
    if clock.wait(lambda: not left(host, whole), clock.now() + _PATIENCE):
        return []
    numbers = " ".join(str(one.pid) for one in left(host, whole))
    return [f"the drill's script is still at work: kill {numbers}"]


def _tops(host: Host, found: list[int]) -> list[int]:
    """The script itself: not cron's "sh -c", which would not tell it, nor its own subshells."""
    scripts = {
        pid
        for pid in found
        if (host.read(f"/proc/{pid}/cmdline") or b"").split(b"\0")[1:2] != [b"-c"]
    }
    stats = _stats(host)
    return sorted(pid for pid in scripts if pid in stats and stats[pid].parent not in scripts)


@dataclass(frozen=True)
class Process:
    """``began`` tells it from a later one that was given the same number."""

    pid: int
    parent: int
    began: str

    @property
    def name(self) -> tuple[int, str]:
        return self.pid, self.began


def below(host: Host, tops: Iterable[int]) -> list[Process]:
    """Processes and all below them."""
    stats = _stats(host)
    found = {pid for pid in tops if pid in stats}
    grown = True
    while grown:
        more = {pid for pid, one in stats.items() if one.parent in found and pid not in found}
        found |= more
        grown = bool(more)
    return [stats[pid] for pid in sorted(found)]


def left(host: Host, processes: Iterable[Process]) -> list[Process]:
    """Those that have not ended."""
    names = {one.name for one in _stats(host).values()}
    return [one for one in processes if one.name in names]


def kill(host: Host, processes: Iterable[Process]) -> None:
    """Kills those that are left of them."""
    _send((one.pid for one in left(host, processes)), signal.SIGKILL)


def _stats(host: Host) -> dict[int, Process]:
    """Every process that is not dead, by its number."""
    found = {}
    for name in host.names("/proc"):
        if name.isdigit():
            # PID (NAME) STATE PARENT ..., and a name may hold anything (proc(5)).
            after = (host.read(f"/proc/{name}/stat") or b"").rpartition(b") ")[2].split()
            if len(after) > 19 and after[0] not in (b"Z", b"X"):
                found[int(name)] = Process(int(name), int(after[1]), after[19].decode())
    return found


def _send(numbers: Iterable[int], number: signal.Signals) -> None:
    for pid in numbers:
        if pid > 1:
            with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(pid, number)


def running(host: Host, ends: tuple[str, ...]) -> tuple[int, str] | None:
    """A process that runs a script whose path ends so: the kernel starts it as "sh PATH"."""
    for name in host.names("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(PermissionError):
            words = (host.read(f"/proc/{name}/cmdline") or b"").decode("utf-8", "replace")
            path = words.partition("\0")[2].partition("\0")[0]
            if path.endswith(ends) and _is_here(host, name):
                return int(name), path
    return None


def _is_here(host: Host, process: str) -> bool:
    """Whether it is this host's own and not of a container on it."""
    return host.link(f"/proc/{process}/ns/pid") == host.link("/proc/self/ns/pid")
