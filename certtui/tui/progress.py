"""How far a dry run is: pure data from its events, and the lines that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from certtui.renewal.events import Done, Event, LineageResult, LineageStarted

_ORDER = {"failed": 0, "running": 1, "waiting": 2, "skipped": 3, "ok": 4}
_BAR = 20


@dataclass
class Progress:
    """The certificates of a dry run and what became of each."""

    names: tuple[str, ...]
    states: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    done: Done | None = None

    def __post_init__(self) -> None:
        self.states = dict.fromkeys(self.names, "waiting")

    def take(self, event: Event) -> None:
        """One event."""
        if isinstance(event, LineageStarted):
            self.states[event.name] = "running"
            self.reasons.pop(event.name, None)
        elif isinstance(event, LineageResult):
            self._result(event)
        elif isinstance(event, Done):
            self.done = event
            for result in event.lineages:
                self._result(result)
            for name, state in self.states.items():
                if state == "running":
                    self.states[name] = "waiting"

    def again(self, names: Sequence[str]) -> None:
        """These are tried once more."""
        self.done = None
        for name in names:
            self.states[name] = "waiting"
            self.reasons.pop(name, None)

    def _result(self, result: LineageResult) -> None:
        self.states[result.name] = result.result
        self.reasons[result.name] = result.reason

    def count(self, state: str) -> int:
        """How many are in a state."""
        return sum(found == state for found in self.states.values())

    @property
    def failed(self) -> list[str]:
        """The names that failed, in their order."""
        return [name for name, state in self.states.items() if state == "failed"]

    @property
    def finished(self) -> int:
        """How many have a result."""
        return sum(self.count(state) for state in ("ok", "failed", "skipped"))

    @property
    def proved(self) -> bool:
        """Whether every certificate renewed."""
        return bool(self.states) and self.count("ok") == len(self.states)

    def headline(self, seconds: float) -> str:
        """One line: how many, how many failed, how long, a bar of plain characters."""
        total = len(self.states)
        filled = _BAR * self.finished // total if total else 0
        failed = f"   {self.count('failed')} failed" if self.count("failed") else ""
        clock = f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
        bar = "#" * filled + "." * (_BAR - filled)
        return f"{self.finished} of {total}{failed}   {clock}   [{bar}]"

    def rows(self, most: int) -> list[str]:
        """Failed first, then running, waiting and ok; what does not fit becomes counts."""
        ordered = sorted(self.states, key=lambda name: _ORDER.get(self.states[name], 5))
        shown = ordered if len(ordered) <= most else ordered[: max(1, most - 1)]
        width = max((len(name) for name in shown), default=0)
        lines = [
            f"  {self.states[name]:<9} {name:<{width}}   {self.reasons.get(name, '')}".rstrip()
            for name in shown
        ]
        rest = ordered[len(shown) :]
        if rest:
            counts = [
                f"{count} {state}"
                for state in _ORDER
                if (count := sum(self.states[name] == state for name in rest))
            ]
            lines.append(f"  and {', '.join(counts)}")
        return lines
