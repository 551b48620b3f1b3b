"""What happens while certbot runs, as data: text output, JSON lines and the TUI read these."""

from __future__ import annotations

from dataclasses import dataclass, field

from certtui.renewal.reasons import Reason

#: The reason of a lineage that has no result because the run was cancelled.
CANCELLED = "cancelled"


@dataclass(frozen=True)
class Line:
    """One line certbot printed, cleaned of control sequences; ``seconds`` since the start."""

    text: str
    seconds: float


@dataclass(frozen=True)
class LineageStarted:
    """certbot began to work on a lineage."""

    name: str
    seconds: float


@dataclass(frozen=True)
class LineageResult:
    """How a lineage ended. ``reason`` is one sentence, empty when ok; ``why`` is its parts."""

    name: str
    result: str  # ok | failed | skipped
    reason: str
    seconds: float
    why: Reason | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Done:
    """The last event. ``reason`` says why the whole is not ok: cancelled, timed out, locked..."""

    ok: bool
    lineages: tuple[LineageResult, ...]
    seconds: float
    reason: str = ""
    log: str = ""  # path of the full output on disk, empty where none was kept
    cancelled: bool = False
    locked: bool = False


Event = Line | LineageStarted | LineageResult | Done
