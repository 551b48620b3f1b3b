"""The page of one question, whatever its kind, and what its answer means on this host."""

from __future__ import annotations

import json
import threading
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from certtui.ask import explain, helps, trials
from certtui.ask import interview as talk
from certtui.plan.fields import BY_KEY, Field, Kind
from certtui.tui.answer import Answer
from certtui.tui.body import Body, Keys
from certtui.tui.choices import ChoiceList, Row

_CHOOSING = (Kind.CHOICE, Kind.BOOLEAN)
_LISTS = (Kind.STRINGS, Kind.MAPPING)

#: Rows from which there is room for blank ones.
_ROOMY = 16


def _sentence(problem: str) -> str:
    """What is wrong, for a reader who types no TOML."""
    if problem.startswith("is "):
        problem = f"this {problem}"
    return problem[:1].upper() + problem[1:].replace('or "" for none', "or leave it empty")


class Question(Body, can_focus=False):
    """One field of the declaration."""

    def __init__(self, field: Field, *, detour: bool = False) -> None:
        super().__init__()
        self.field = field
        self._detour = detour
        self._text: str | None = None
        self._trial = trials.TRIALS.get(field.key)
        #: set when nobody waits for the trial any more; None while there is none
        self._left: threading.Event | None = None
        self._tried: list[str] = []
        #: whether the last line says that there is more
        self._more = False
        if field.step in talk.steps():
            self.step = talk.step_title(field.step)

    def compose(self) -> ComposeResult:
        yield Static(self.field.question, classes="heading", markup=False)
        value = self.interview.values()[self.field.key]
        if self.field.kind in _CHOOSING:
            yield ChoiceList(self._rows(), at=self._values().index(value), radio=True)
        else:
            with Horizontal(classes="answer"):
                yield Static("  > ", classes="mark", markup=False)
                yield Answer(self._line(), self.field)
            yield Static(self._hint(), classes="hint", markup=False)
        yield Static(classes="problem", markup=False)
        yield Static(id="below", markup=False)

    def on_mount(self) -> None:
        self._explain()

    @property
    def _letters(self) -> bool:
        """Whether letters are keys here, and not part of an answer."""
        return self.field.kind in (*_CHOOSING, Kind.INTEGER)

    def advanced(self) -> list[Field]:
        """The rarely needed questions that ``o`` lists here."""
        return [] if self._detour else talk.advanced(self.field.step, self.interview.values())

    def works(self) -> Keys:
        keys: Keys = []
        if not self._detour and self.interview.facts is None:
            keys.append(("", explain.LOOKING))
        else:
            keys.append(("Enter", "accept"))
        keys.append(("Esc", "back"))
        if self._trial and self._left is None and self.interview.facts is not None:
            keys.append(("F4", self._trial.name))
        if self._letters:
            rare = len(self.advanced())
            keys += [("o", f"advanced ({rare})")] if rare else []
            keys += [("=", "answers")]
        else:
            rare = len(self.advanced())
            keys += [("F3", f"advanced ({rare})")] if rare else []
            keys += [("F2", "answers")]
        self._more = self.overflows()
        if self._more:
            keys.append(("PgDn", "more"))
        if self._letters:
            return [*keys, ("?", "help"), ("q", "quit")]
        return [*keys, ("F1", "help"), ("Ctrl+Q", "quit")]

    def help(self) -> list[str]:
        lines = [self.field.question, "", *helps.more(self.field.key)]
        width = max((len(choice.label) for choice in self.field.choices), default=0)
        lines += [f"  {choice.label:<{width}}  {choice.help}" for choice in self.field.choices]
        lines += [""] if self.field.choices else []
        if self._trial:
            lines += [f"F4 or Ctrl+T {self._trial.help}.", ""]
        kept = "In the plan" if self.field.key in BY_KEY else "For this user"
        lines.append(f"{kept}: {self.field.key}, {self.field.help}")
        rare = self.advanced()
        if rare:
            lines += ["", "Rarely needed, behind o or F3:"]
            width = max(len(field.key) for field in rare)
            lines += [f"  {field.key:<{width}}  {field.help}" for field in rare]
        return lines

    def on_resize(self) -> None:
        """A list in a small window needs the blank row under the question."""
        small = self.field.kind in _CHOOSING and self.size.height < _ROOMY
        self.set_class(small, "-tight")

    def facts_arrived(self) -> None:
        """The default may follow from the host."""
        value = self.interview.values()[self.field.key]
        if self.field.kind in _CHOOSING:
            chosen = self.query_one(ChoiceList)
            chosen.rows(self._rows())
            chosen.highlighted = self._values().index(value)
        self._explain()

    def resume(self) -> None:
        if self.field.kind not in _CHOOSING:
            self.query_one(Answer).value = self._line()
        self.facts_arrived()

    def highlighted(self, index: int) -> None:
        """The choice under the cursor is the answer: what is shown is what counts."""
        value = self._values()[index]
        if value != self.interview.values()[self.field.key]:
            self.say(_sentence(self.interview.give(self.field.key, value)))
            self._explain()

    def on_input_changed(self, event: Input.Changed) -> None:
        """A number counts while it is typed, so that its table follows; a text when it is done.

        Half an address can be well in itself and would stay when the page is left.
        """
        event.stop()
        self.say("")
        if self._tried and self._left is None:
            self._tried = []  # it was about another answer
            self._explain()
        if self.field.kind in _LISTS:
            self.query_one(".hint", Static).update(self._hint())
        if self.field.kind is Kind.INTEGER:
            self.set_down()
            self._explain()

    def set_down(self) -> None:
        if self.field.kind in _CHOOSING:
            return
        text = self.query_one(Answer).value
        try:
            problem = self.interview.give(self.field.key, talk.from_text(self.field, text))
        except ValueError as error:
            problem = str(error)
        # What is no answer yet is not lost either: it stands there when one comes back.
        self.wizard.typed.pop(self.field.key, None)
        if problem:
            self.wizard.typed[self.field.key] = text

    def _line(self) -> str:
        """What stands in the line: what was typed there, else the answer."""
        value = self.interview.values()[self.field.key]
        return self.wizard.typed.get(self.field.key, talk.as_text(self.field, value))

    def submitted(self, text: str) -> None:
        """Enter in the line: what stood there then, whatever was typed behind it."""
        self._text = text
        self.accept()
        self._text = None

    def accept(self) -> None:
        problem = self._problem()
        self.say(_sentence(problem))
        if problem:
            return
        self.wizard.typed.pop(self.field.key, None)
        if self._detour:
            self.wizard.go(self.wizard.return_from_detour())
        elif self.interview.facts is not None:
            self.wizard.go(self.wizard.forward(self.field))

    def _problem(self) -> str:
        value: Any = self.interview.values()[self.field.key]
        if self.field.kind not in _CHOOSING:
            try:
                typed = self.query_one(Answer).value if self._text is None else self._text
                value = talk.from_text(self.field, typed)
            except ValueError as error:
                return str(error)
        return self.interview.give(self.field.key, value) or self.interview.problem(
            self.field.key, value
        )

    def _explain(self) -> None:
        lines = [] if self._detour else explain.below(self.interview, self.field)
        if self._tried:
            lines = [*self._tried, *([""] if lines else []), *lines]
        self.query_one("#below", Static).update("\n".join(lines))
        self.call_after_refresh(self._measure)

    def _measure(self) -> None:
        """Whether there is more than fits is known when it has been laid out."""
        if self.is_attached and self.overflows() != self._more:
            self.wizard.refresh_frame()

    # -- a trial -------------------------------------------------------------------------------

    def letter(self, key: str) -> None:
        if key == "f4" and self._trial and self._left is None and self.interview.facts is not None:
            self._try(self._trial)

    def _try(self, trial: trials.Trial) -> None:
        """Tries the answer that is shown, where it is one, in a worker."""
        problem = self._problem() or trial.lacks(self.interview)
        self.say(_sentence(problem))
        if problem:
            return
        left = self._left = threading.Event()
        self._came([trial.doing], self._left)
        self.wizard.background(
            lambda: trial.run(self.interview, left),
            lambda lines: self._came(lines, None),
            lambda sentence, code: self._came([sentence], None),
        )

    def _came(self, lines: list[str], left: threading.Event | None) -> None:
        if not self.is_attached:
            return  # left before the answer came
        self._left, self._tried = left, lines
        self._explain()
        self.wizard.refresh_frame()

    def on_unmount(self) -> None:
        """Nobody waits for a trial any more."""
        if self._left is not None:
            self._left.set()

    def _values(self) -> list[Any]:
        if self.field.kind is Kind.BOOLEAN:
            return [True, False]
        return [choice.value for choice in self.field.choices]

    def _rows(self) -> list[Row]:
        if self.field.kind is Kind.BOOLEAN:
            return [Row("yes"), Row("no")]
        notes = explain.choices(self.interview, self.field)
        return [Row(choice.label, notes[choice.value]) for choice in self.field.choices]

    def _hint(self) -> str:
        if self.field.kind is Kind.INTEGER:
            return f"Up and Down, or type {self.field.minimum} to {self.field.maximum}"
        if self.field.kind in _LISTS:
            return f"{self.field.help.split(', as [')[0]}\n{talk.TYPED_AS_SHELL}\n{self._read_as()}"
        return self.field.help

    def _read_as(self) -> str:
        """How a list is understood, while it is typed."""
        found = self.query(Answer)
        value = self.interview.values()[self.field.key]
        try:
            value = talk.from_text(self.field, found.first().value) if found else value
        except ValueError as error:
            return f"Not yet a list: {error}"
        return f"Read as: {json.dumps(value, ensure_ascii=False)}"
