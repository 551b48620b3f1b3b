"""A folder under guard, seen from its owner: see :mod:`certtui.demo.guard`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from certtui.demo import guard
from certtui.errors import CerttuiError


class DemoError(CerttuiError):
    """The sandbox could not be made, or not be taken away; the text says what went wrong."""


class GuardedFolder:
    """A new folder (mode 0700) that vanishes with its owner, and every process marked with it.

    Raises :class:`DemoError` where no folder can be made.
    """

    def __init__(self) -> None:
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        line = b""
        try:
            line = self._guard.stdout.readline()
        finally:
            self._guard.stdout.close()
            if not line.endswith(b"\n"):
                self._guard.stdin.close()
                self._guard.wait()
        if not line.endswith(b"\n"):
            tried = ", ".join(dict.fromkeys(guard.places()))
            raise DemoError(
                f"no folder for the demo can be made (tried {tried}): it must be writable, not "
                "mounted noexec, and its path plain, without spaces; choose one with TMPDIR=/path"
            )
        self.path = Path(os.fsdecode(line[:-1]))

    @property
    def mark(self) -> dict[str, str]:
        """The environment variable that every process of the sandbox is to be started with."""
        return {guard.MARK: str(self.path)}

    def close(self) -> None:
        """Ends the processes and removes the folder. May be called again, and by another thread.

        Raises :class:`DemoError` where something could not be taken away.
        """
        assert self._guard.stdin is not None
        # First of all, so that even an interruption of this very method cannot keep the folder.
        self._guard.stdin.close()
        try:
            self._guard.wait(2 * guard.PATIENCE)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        if self.path.exists() and not guard.clear(str(self.path)):
            raise DemoError(f"{self.path} could not be removed: remove it by hand")
