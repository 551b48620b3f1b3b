"""Ends a child process just before one of its calls that change something, as SIGKILL would."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

#: What changes a file system. ``os.open`` counts only when it may create.
CALLS = ("open", "mkdir", "rename", "unlink", "rmdir", "fchmod", "fchown", "fsync", "utime")


def _die_at(number: int) -> None:
    """From here on the process ends, as by SIGKILL, just before its ``number``-th mutating call."""
    count = 0

    def guarded(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            if name != "open" or args[1] & os.O_CREAT:
                count += 1
                if count == number:
                    os._exit(9)
            return real(*args, **kwargs)

        return call

    for name in CALLS:
        setattr(os, name, guarded(getattr(os, name), name))


def killed(work: Callable[[], object], number: int) -> bool:
    """Runs ``work`` in a child that dies at a call; whether it died there."""
    child = os.fork()
    if child == 0:
        _die_at(number)
        try:
            work()
        except BaseException:  # noqa: BLE001 - a forked child must never return into pytest
            os._exit(7)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9)
    return code == 9
