"""The guard of a sandbox: makes its folder and takes everything away once the owner is gone.

The guard is a process in a session of its own. Its standard input is a pipe whose other end only
the owner holds, so the kernel tells it of every way the owner can end: a clean close, an exception,
SIGTERM, SIGHUP or SIGKILL. It ends every process of the sandbox and removes the folder. Because it
is also the guard that *makes* the folder, there is no moment at which the folder exists unguarded.

A process belongs to the sandbox when its environment carries :data:`MARK` with the folder (see
proc(5), ``environ``), so that children nobody remembers starting are found as well, or when its
arguments give ``--config-dir`` a place inside the folder, or when it has just been started as the
sandbox's :data:`COMMAND`: a certbot started by code that chooses its own environment.

This file is run as a script with ``-I -S``: only the standard library, and it is up in 30 ms.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import sys
import tempfile
import time

#: The environment variable that tells which sandbox a process belongs to; its value is the folder.
MARK = "CERTTUI_DEMO_SANDBOX"

#: The program in the folder that is certbot with all options of the sandbox.
COMMAND = "certbot"

#: Seconds to try before giving up on a process that does not die or a folder that does not go.
PATIENCE = 10.0

_PAUSE = 0.05  # seconds between two looks
_QUIET_LOOKS = 2  # this many looks in a row must find nothing: a child may be between fork and exec

# What a path may hold to stand in a plan (certtui.plan.values.absolute_path).
_PLAIN = re.compile(r"/[A-Za-z0-9._+@:/-]*")


def members(folder: str) -> list[int]:
    """The process ids that belong to the sandbox in ``folder``; zombies and the caller not."""
    return [
        int(entry)
        for entry in os.listdir("/proc")
        if entry.isdigit() and int(entry) != os.getpid() and _belongs(entry, os.fsencode(folder))
    ]


def clear(folder: str, patience: float = PATIENCE) -> bool:
    """Ends every process of the sandbox and removes its folder; True when both are gone.

    ``patience`` is in seconds. Nothing in the sandbox is worth a polite end: SIGKILL at once.
    """
    deadline = time.monotonic() + patience
    ended = _end_members(folder, deadline)
    while os.path.lexists(folder):
        shutil.rmtree(folder, ignore_errors=True)
        if time.monotonic() > deadline:
            break
        if os.path.lexists(folder):
            time.sleep(_PAUSE)
    return ended and not os.path.lexists(folder)


def main() -> int:
    """Makes the folder, prints its path, waits for the end of the owner, clears; 0 when clean."""
    # It lives exactly as long as its owner needs it: a signal sent to everything (a logout, a
    # shutdown, Ctrl+C) ends the owner, and that is what ends the guard.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)  # the caller's may take away the owner's own rights
    folder = make_folder()
    if folder is None:
        return 1
    with contextlib.suppress(BrokenPipeError):  # the owner is gone already: the read below says so
        os.write(sys.stdout.fileno(), os.fsencode(folder) + b"\n")
    while os.read(sys.stdin.fileno(), 4096):
        continue
    return 0 if clear(folder) else 1


def places() -> list[str]:
    """Where the folder may be made, the best first."""
    named = [os.environ.get(name, "") for name in ("TMPDIR", "XDG_RUNTIME_DIR", "HOME")]
    wanted = [named[0], "/tmp", "/var/tmp", *named[1:]]  # noqa: S108 - mkdtemp makes it private
    return [os.path.realpath(place) for place in wanted if place]


def make_folder() -> str | None:
    """A new folder (0700) with a plain path, from which programs may run; None where none can be.

    /tmp is often mounted ``noexec`` on servers, and the sandbox has a program in it.
    """
    for place in places():
        with contextlib.suppress(OSError):
            runs = not os.statvfs(place).f_flag & os.ST_NOEXEC
            if runs and _PLAIN.fullmatch(place):
                return tempfile.mkdtemp(prefix="certtui-demo-", dir=place)
    return None


def _belongs(pid: str, folder: bytes) -> bool:
    """Whether one process is marked as the sandbox's, or is a certbot that works inside it."""
    if os.fsencode(MARK) + b"=" + folder in _strings(pid, "environ"):
        return True
    arguments = _strings(pid, "cmdline")
    if folder + b"/" + os.fsencode(COMMAND) in arguments[:2]:  # [1]: a script, after its shell
        return True
    return any(
        option == b"--config-dir" and value.startswith(folder + b"/")
        for option, value in itertools.pairwise(arguments)
    )


def _strings(pid: str, name: str) -> list[bytes]:
    """The NUL-separated strings of a file under ``/proc/PID``; empty where it may not be read."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []  # it has ended, or it is somebody else's and so not ours


def _end_members(folder: str, deadline: float) -> bool:
    quiet = 0
    while quiet < _QUIET_LOOKS:
        found = members(folder)
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        quiet = 0 if found else quiet + 1
        if time.monotonic() > deadline:
            return not found
        if quiet < _QUIET_LOOKS:
            time.sleep(_PAUSE)
    return True


if __name__ == "__main__":
    sys.exit(main())
