"""How the wizard looks to one user: answers about the terminal, which never reach a plan.

They are declared like the questions of the plan, so that the wizard asks them with the same page.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from certtui.plan import validate
from certtui.plan.fields import Choice, Field, Kind

FIELDS: tuple[Field, ...] = (
    Field(
        "interface.colours",
        Kind.CHOICE,
        "auto",
        "Which colours suit your terminal?",
        "auto | dark | light | none: no part of the plan",
        "interface",
        choices=(
            Choice("auto", "automatic", "as the terminal says, else what reads on both"),
            Choice("dark", "dark", "for a dark background"),
            Choice("light", "light", "for a light background"),
            Choice("none", "none", "cursor and choice can be read all the same"),
        ),
        advanced=True,
    ),
    Field(
        "interface.mouse",
        Kind.BOOLEAN,
        False,
        "Use the mouse? It counts from the next start on.",
        "false: the terminal's own selection works; no part of the plan",
        "interface",
        advanced=True,
    ),
)

BY_KEY: Mapping[str, Field] = {field.key: field for field in FIELDS}

#: What ``--colours`` takes.
COLOURS = tuple(choice.value for choice in BY_KEY["interface.colours"].choices)


@dataclass(frozen=True)
class Preferences:
    """What counts for this start. ``path`` is the file that keeps changes; empty: they are not."""

    colours: str = "auto"
    mouse: bool = False
    path: str = ""

    def values(self) -> dict[str, Any]:
        """Dotted, as the declaration names them."""
        return {field.key: getattr(self, field.name) for field in FIELDS}


def file_path() -> str:
    """Where this user's preferences are kept (XDG base directories: configuration)."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(base, "certtui", "interface.json")


def load(colours: str | None = None, mouse: bool = False) -> Preferences:
    """What is kept, and over it what the command line says for this start alone.

    A file that cannot be read, and what it says wrong, count as nothing.
    """
    path = file_path()
    kept = Preferences(**_kept(path), path=path)
    return replace(kept, colours=colours or kept.colours, mouse=mouse or kept.mouse)


def problem(key: str, value: object) -> str:
    """Why a value cannot be the answer to a key of :data:`BY_KEY`, or ""."""
    field = BY_KEY[key]
    wrong = validate.type_problem(field, value)
    if not wrong and field.kind is Kind.CHOICE and value not in COLOURS:
        return f"is {validate.show(value)}; it must be one of {', '.join(COLOURS)}"
    return wrong


def keep(preferences: Preferences, key: str, value: Any) -> Preferences:
    """The preferences with one answer changed, for this start and the next ones.

    Only that answer is written: what the command line said for this start is not kept with it.
    A home that cannot be written must not stop the wizard: then it counts for this start.
    """
    if preferences.path:
        with contextlib.suppress(OSError):
            _write(preferences.path, {**_kept(preferences.path), BY_KEY[key].name: value})
    return replace(preferences, **{BY_KEY[key].name: value})


def _kept(path: str) -> dict[str, Any]:
    """The answers in a file that are answers, by their short names."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError):
        return {}
    if not isinstance(data, dict):
        return {}
    return {
        field.name: data[field.name]
        for field in FIELDS
        if field.name in data and not problem(field.key, data[field.name])
    }


def _write(path: str, answers: Mapping[str, Any]) -> None:
    """Replaces the file in one step. Raises OSError."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump(answers, file)
    os.rename(f"{path}.new", path)
