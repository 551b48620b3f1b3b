"""What a check says: one finding, with its evidence and the command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(str, Enum):
    """Worst last in the declaration; ``crash`` is a check that broke, never a pass."""

    OK = "ok"
    SKIP = "skip"
    WARN = "warn"
    FAIL = "fail"
    CRASH = "crash"


@dataclass(frozen=True)
class Fix:
    """A command that mends a finding. ``safe``: it may be run unasked by ``doctor --fix``."""

    argv: tuple[str, ...]
    safe: bool = False


@dataclass(frozen=True)
class Finding:
    """One answer of one check about one subject.

    ``id`` is stable ("cron.insecure-mode"); ``evidence`` is what was seen (a command with its exit
    code and an excerpt, or a path with its mode); ``expected`` what should have been seen, ``why``
    what follows if it is not. ``seconds`` is how long the check took that found it, with all that
    it found.
    """

    id: str
    status: Status
    subject: str
    message: str
    evidence: str = ""
    expected: str = ""
    fix: Fix | None = None
    why: str = ""
    seconds: float = 0.0

    @property
    def docs(self) -> str:
        """Where its kind is described: a heading of ``docs/checks.md``, as GitHub links it."""
        return f"docs/checks.md#{self.id.replace('.', '')}"
