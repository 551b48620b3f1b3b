"""Folders and mounts of the test hosts: nothing of them may stay, whatever ends a run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from tests.host import cgroups

_PREFIX = "certtui-host-"


class HostError(Exception):
    """A host did not do what the test needs of it."""


def scratch() -> Path:
    """A new folder that a later run takes away if this one cannot."""
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


def clean_leftovers() -> None:
    """Takes away what a run that was killed has left: only folders whose owner is gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            _end_host(folder)
            take_away(folder)


def _end_host(folder: Path) -> None:
    """Ends the nspawn that was started on a folder, and with it the host."""
    wanted = f"--directory={folder}/root".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"systemd-nspawn") and wanted in words:
                os.kill(int(process.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile


def take_away(folder: Path) -> None:
    """Takes a host's folder away with all that is mounted in it, and its control groups."""
    cgroups.remove(folder.name)
    for mounted in (folder / "root", folder):
        while os.path.ismount(mounted):
            done = subprocess.run(["umount", str(mounted)], capture_output=True)
            if done.returncode:
                subprocess.run(["umount", "--lazy", str(mounted)], capture_output=True, check=True)
    if folder.exists():
        shutil.rmtree(folder)


def mount(*arguments: str) -> None:
    """mount(8). Raises HostError."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise HostError(f"mount {' '.join(arguments)}: {done.stderr.strip()}")
