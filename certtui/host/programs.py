"""Programs that are there and cannot be started."""

from __future__ import annotations

from collections.abc import Iterable

from certtui.host.interface import SAFE_PATH, Host


def on_path(name: str) -> list[str]:
    """Where a program may be, in the order of the search."""
    return [f"{folder}/{name}" for folder in SAFE_PATH.split(":")]


def not_executable(host: Host, paths: Iterable[str]) -> tuple[str, int] | None:
    """The first of these that is a file nobody may execute, and its mode; None without one."""
    for path in paths:
        real = host.resolve(path)
        found = host.info(real) if real else None
        if found is not None and found.kind == "file" and not found.mode & 0o111:
            return path, found.mode
    return None
