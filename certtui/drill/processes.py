"""The processes of a drill: its own script, found by the drill's id, and all below it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterable

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
    """Ends the script of a drill, which ends what it has started; problems as sentences."""
    begun = of(host, drill)
    if not begun:
        return []
    _send(begun, signal.SIGTERM)
    if clock.wait(lambda: not of(host, drill), clock.now() + _PATIENCE):
        return []
    kill(host, of(host, drill))
    if clock.wait(lambda: not of(host, drill), clock.now() + _PATIENCE):
        return []
    left = " ".join(map(str, of(host, drill)))
    return [f"the drill's script is still at work: kill {left}"]


def kill(host: Host, tops: Iterable[int]) -> None:
    """Kills processes and everything below them, which could not be told to end."""
    tops = list(tops)
    _send({*tops, *_below(host, tops)}, signal.SIGKILL)


def _below(host: Host, tops: Iterable[int]) -> set[int]:
    parents: dict[int, int] = {}
    for name in host.names("/proc"):
        if name.isdigit():
            stat = host.read(f"/proc/{name}/stat") or b""
            # PID (NAME) STATE PARENT, and a name may hold anything (proc(5)).
            after = re.search(rb".*\) \S (\d+)", stat, re.DOTALL)
            if after:
                parents[int(name)] = int(after[1])
    found = set(tops)
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found and pid not in found}
        found |= more
        grown = bool(more)
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
