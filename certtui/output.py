"""Previews and steps as text for people and as the JSON of the contract."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from typing import Any

from certtui.change.model import FileChange, Preview, Result, Step
from certtui.host.visible import visible


def preview_json(preview: Preview) -> dict[str, Any]:
    """The shape of ``diff --json`` and ``apply --check --json``."""
    return {
        "changed": preview.changed,
        "files": [_file_json(change) for change in preview.files],
        "actions": [{"argv": list(action.argv), "why": action.why} for action in preview.actions],
        "refusals": list(preview.refusals),
    }


def _file_json(change: FileChange) -> dict[str, Any]:
    return {
        "path": change.path,
        "state": change.state,
        "mode": f"{change.mode:04o}",
        "owner": change.owner,
        "diff": change.diff(),
        "reason": change.reason,
    }


def preview_text(preview: Preview) -> str:
    """Every diff, then the commands in order, then what stands in the way."""
    lines: list[str] = []
    for change in preview.files:
        if change.state != "same":
            lines.append(f"# {change.state} {change.mode:04o} {change.owner} {change.path}")
            if change.state == "conflict":
                lines.append(f"# conflict: {change.reason}; `apply --force` replaces it")
            lines += [visible(line) for line in change.diff().splitlines()]
            lines.append("")
    lines += [f"$ {shlex.join(action.argv)}  # {action.why}" for action in preview.actions]
    lines += [f"! apply would refuse: {refusal}" for refusal in preview.refusals]
    lines.append(summary(preview))
    return "\n".join(lines) + "\n"


def summary(preview: Preview) -> str:
    """One line: how many files and commands."""
    if not preview.changed:
        return "in sync: nothing to change"
    counted = [
        f"{sum(change.state == state for change in preview.files)} {state}"
        for state in ("new", "changed", "removed", "conflict", "same")
        if any(change.state == state for change in preview.files)
    ]
    return f"files: {', '.join(counted)}; commands: {len(preview.actions)}; nothing was written"


def step_text(step: Step) -> str:
    """One step that has ended, as a line."""
    mark = "ok  " if step.ok else "FAIL"
    note = f": {step.message}" if step.message else ""
    return f"{mark} {step.what}{note}"


def print_step(step: Step) -> None:
    """One step as it ends."""
    print(step_text(step), flush=True)


def discard_step(step: Step) -> None:
    """For ``--json``, whose steps come at the end."""
    del step


def applied_text(result: Result, root: str = "/") -> str:
    """The line after the steps; ``root`` is where the files went."""
    if not result.changed:
        return "in sync: nothing was changed"
    return "applied; undo: certtui undo" + ("" if root == "/" else f" --root {shlex.quote(root)}")


def colour() -> bool:
    """Colour only for a person at a terminal who did not ask for none (no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def width() -> int:
    """Columns of the terminal that is written to; 0 where it is none, as for a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
