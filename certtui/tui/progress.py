"""How far a dry run is: pure data from its events, and the lines that show it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from certtui.errors import ExitCode
from certtui.renewal.events import CANCELLED, Done, Event, LineageResult, LineageStarted
from certtui.renewal.reasons import LOCKED, Reason

#: What is not tried yet, or was not tried because the run was stopped; and what certbot has done
#: with, though it tells only at the end which of them renewed.
WAITING, UNTRIED, TRIED = "waiting", "not tried", "tried"

_ORDER = {"failed": 0, "running": 1, UNTRIED: 2, WAITING: 3, TRIED: 4, "skipped": 5, "ok": 6}
_BAR = 20

#: Columns of the state before each name, and under which a reason is folded.
_HANG = 12

#: The fewest columns a reason is given beside its name; with fewer it goes below.
_BESIDE = 24


@dataclass
class Progress:
    """The certificates of a dry run and what became of each."""

    names: tuple[str, ...]
    states: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    done: Done | None = None
    #: why a run is not ok though its certificates are, or could not begin: a sentence
    trouble: str = ""
    cancelled: bool = False
    _why: dict[str, Reason | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.states = dict.fromkeys(self.names, WAITING)

    def take(self, event: Event) -> None:
        """One event."""
        if isinstance(event, LineageStarted):
            self._change({"running"}, TRIED)
            self.states[event.name] = "running"
            self._forget(event.name)
        elif isinstance(event, LineageResult):
            self._result(event)
        elif isinstance(event, Done):
            self._end(event)

    def again(self, names: Sequence[str]) -> None:
        """These are tried once more."""
        self.done, self.trouble, self.cancelled = None, "", False
        for name in names:
            self.states[name] = WAITING
            self._forget(name)

    def stopped(self, trouble: str = "") -> None:
        """No more events come; ``trouble`` says why where certbot did not."""
        self.trouble = trouble or self.trouble
        self._change({"running", WAITING}, UNTRIED)

    def _change(self, states: set[str], to: str) -> None:
        self.states.update({name: to for name, found in self.states.items() if found in states})

    def _forget(self, name: str) -> None:
        self.reasons.pop(name, None)
        self._why.pop(name, None)

    def _result(self, result: LineageResult) -> None:
        if result.result == "skipped" and result.reason == CANCELLED:
            if self.states.get(result.name) != TRIED:
                self.states[result.name] = UNTRIED
            return
        self.states[result.name] = result.result
        self.reasons[result.name] = result.reason
        self._why[result.name] = result.why

    def _end(self, done: Done) -> None:
        self.done = done
        self.cancelled = self.cancelled or done.cancelled
        for result in done.lineages:
            self._result(result)
            if result.result == "skipped" and done.locked:
                self.states[result.name] = UNTRIED
                self._forget(result.name)
        if done.locked:
            self.trouble = LOCKED.sentence
        elif not done.ok and all(result.result == "ok" for result in done.lineages):
            self.trouble = done.reason

    # -- what it comes to ----------------------------------------------------------------------

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
        return self.count("ok") + self.count("failed")

    @property
    def tried(self) -> int:
        """How many certbot has done with."""
        return self.finished + self.count(TRIED)

    @property
    def proved(self) -> bool:
        """Whether every certificate renewed, and nothing else went wrong."""
        return bool(self.states) and self.count("ok") == len(self.states) and not self.trouble

    @property
    def verdict(self) -> str:
        """How it ended, in one word or two."""
        if self.proved:
            return "PROVED"
        if self.cancelled:
            return "CANCELLED"
        return "FAILED" if self.failed else "NOT PROVED"

    def exit_code(self) -> ExitCode:
        """What the program ends with."""
        from certtui.renewal.report import exit_code

        if self.proved:
            return ExitCode.OK
        if self.cancelled:
            return ExitCode.INTERRUPTED
        return exit_code(self.done) if self.done and not self.done.ok else ExitCode.FAILED

    @property
    def said(self) -> str:
        """What went wrong besides the certificates, and the key that tries again; or ""."""
        if not self.trouble:
            return ""
        return f"{self.trouble[:1].upper()}{self.trouble[1:]}\nOnce that is mended, r tries again."

    @property
    def log(self) -> str:
        """The full output on disk, or ""."""
        return self.done.log if self.done else ""

    def brief(self, name: str, key: str = "r") -> str:
        """Why, in few words, with the ``key`` that tries again if there is one."""
        why = self._why.get(name)
        return why.brief(key, name) if why else self.reasons.get(name, "")

    # -- how it looks --------------------------------------------------------------------------

    def headline(self, seconds: float, width: int = 80, head: str = "") -> str:
        """One line: how many, how many failed, how long, a bar of plain characters."""
        total = len(self.states)
        parts = [head, f"{self.tried} of {total}"]
        counted = ["failed", "skipped"]
        if head == "FAILED":
            # Never "2 of 2   1 failed" behind that word: it reads as if all had.
            parts[1] = f"{self.count('failed')} of {total} {counted.pop(0)}"
        parts += [f"{self.count(s)} {s}" for s in counted if self.count(s)]
        parts.append(f"{int(seconds) // 60}:{int(seconds) % 60:02d}")
        text = "   ".join(part for part in parts if part)
        room = min(_BAR, width - len(text) - 5)
        if room < 4:
            return text
        filled = room * self.tried // total if total else 0
        return f"{text}   [{'#' * filled}{'.' * (room - filled)}]"

    def rows(self, most: int, width: int = 80) -> list[str]:
        """At most so many lines: failed first, then running, waiting and ok.

        What does not fit becomes counts. A reason is folded under itself while there is room for
        all that failed, else it is the least that says it, whole.
        """
        ordered = sorted(self.states, key=lambda name: _ORDER.get(self.states[name], 7))
        beside = self._column(ordered, width)
        folded = {name: self._row(name, beside, width) for name in ordered[:most]}
        failed = [name for name in ordered[:most] if self.states[name] == "failed"]
        if sum(len(folded[name]) for name in failed) >= most:
            folded.update({name: self._least(name, beside, width) for name in failed})
        lines: list[str] = []
        for number, name in enumerate(ordered):
            left = most - len(lines) - (number + 1 < len(ordered))
            if name not in folded or len(folded[name]) > left:
                return [*lines, self._rest(ordered[number:], width)]
            lines += folded[name]
        return lines

    def explained(self, width: int) -> list[str]:
        """What failed, with certbot's own words."""
        lines: list[str] = []
        for name in self.failed:
            lines += [*textwrap.wrap(f"{name}: {self.reasons.get(name, '')}", width), ""]
        return lines

    def failing(self, width: int) -> int:
        """Lines that all that failed takes."""
        beside = self._column(list(self.states), width)
        return sum(len(self._row(name, beside, width)) for name in self.failed)

    def _column(self, names: Sequence[str], width: int) -> int:
        """Columns for the names where a reason fits beside them; 0 where it goes below."""
        said = [name for name in names if self.brief(name)]
        longest = max((len(name) for name in said), default=0)
        return longest if width - _HANG - longest - 3 >= _BESIDE else 0

    def _line(self, name: str, beside: int) -> str:
        """A row in one line, however long."""
        return f"{self._head(name, beside)}   {self.brief(name)}".rstrip()

    def _least(self, name: str, beside: int, width: int) -> list[str]:
        """A row of few lines; only where it is alone too long does a reason go on in another."""
        row = self._row(name, beside, width)
        why = self._why.get(name)
        least = why.least(name) if why else self.reasons.get(name, "")
        head = self._head(name, beside)
        short = f"{head}   {least}"
        if len(row) == 1 or not least:
            return row
        if len(short) <= width:
            return [short]
        above = f"  {self.states[name]:<9} {_middle(name, width - _HANG)}"
        return [above, *_fold(" " * _HANG + least, width, _HANG)]

    def _head(self, name: str, beside: int) -> str:
        return f"  {self.states[name]:<9} {_middle(name, beside or len(name)):<{beside}}"

    def _row(self, name: str, beside: int, width: int) -> list[str]:
        brief = self.brief(name)
        if brief and not beside:
            above = f"  {self.states[name]:<9} {_middle(name, width - _HANG)}"
            return [above, *_fold(" " * _HANG + brief, width, _HANG)]
        if not brief:
            return [f"  {self.states[name]:<9} {_middle(name, width - _HANG)}"]
        return _fold(self._line(name, beside), width, _HANG + beside + 3)

    def _rest(self, names: Sequence[str], width: int) -> str:
        counts = [
            f"{count} {state}"
            for state in _ORDER
            if (count := sum(self.states[name] == state for name in names))
        ]
        return _cut(f"  and {', '.join(counts)}", width)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _middle(name: str, width: int) -> str:
    """A name cut in its middle where it is too long; it is whole in the help."""
    if len(name) <= width:
        return name
    head = (width - 3) // 2
    return f"{name[:head]}...{name[len(name) - (width - 3 - head) :]}"


def _fold(text: str, width: int, hang: int) -> list[str]:
    """Lines of a text; the key at its end does not stand alone on one."""
    text = text.replace("then r", "then\xa0r")
    lines = textwrap.wrap(text, width, subsequent_indent=" " * hang, break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]
