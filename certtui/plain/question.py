"""One question of the plain wizard, and the list of every answer behind ``=``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from certtui.ask import explain, helps, trials
from certtui.ask import interview as talk
from certtui.plain.prompt import Back, read, say
from certtui.plan.fields import Field, Kind
from certtui.plan.values import quoted

if TYPE_CHECKING:
    from certtui.ask.interview import Interview

#: Kinds of answers that may be none.
_EMPTY = (Kind.TEXT, Kind.STRINGS, Kind.MAPPING)


def ask(interview: Interview, field: Field, *, rare: bool = False) -> bool:
    """One question until it is answered; ``rare`` for those behind ``o`` and ``=``.

    False if others were answered meanwhile, so that it has to be asked anew, or no more. Raises
    Left, Back.
    """
    more = [] if rare else talk.advanced(field.step, interview.values())
    trial = trials.TRIALS.get(field.key)
    _head(field, len(more), trial)
    options = _options(interview, field)
    shown = _below(interview, field, [])
    while True:
        current = interview.values()[field.key]
        text = read(f"   [{_default(field, current, options)}] > ")
        if text == "?":
            _help(field)
        elif text == "=":
            every_answer(interview)
            return False
        elif text == "o" and more:
            _ask_rare(interview, more)
            return False
        elif trial and text.split()[:1] == ["t"]:
            problem = interview.give(field.key, text[1:].strip() or current)
            said = [_sentence(problem)] if problem else trials.now(interview, trial)
            _indented(said)
        elif problem := _take(interview, field, text, options):
            say(f"   {_sentence(problem)}")
        else:
            if text:
                _below(interview, field, shown)
            return True


def every_answer(interview: Interview) -> None:
    """Lists them all, and asks the one whose number or name is typed. Raises Left."""
    while True:
        values = interview.values()
        listed = talk.everything(values)
        width = max(len(field.key) for field in listed)
        say()
        for number, field in enumerate(listed, 1):
            answer = talk.shown(field, values[field.key])
            say(f"   {number:>2}  {field.key:<{width}}  {answer}")
        try:
            text = read("   Its number or name changes an answer, Enter goes back > ")
        except Back:
            return
        if not text:
            return
        chosen = _named(listed, text)
        if chosen is None:
            say(f"   {quoted(text)}: type a number from 1 to {len(listed)}, or a name of the list")
        else:
            _ask_rare(interview, [chosen])


def _named(listed: Sequence[Field], text: str) -> Field | None:
    if text.isdecimal() and len(text) < 4:
        return listed[int(text) - 1] if 1 <= int(text) <= len(listed) else None
    return next((field for field in listed if field.key == text), None)


def _ask_rare(interview: Interview, more: Sequence[Field]) -> None:
    """Some rarely needed questions; ``b`` leaves them."""
    try:
        for field in more:
            while field.applies(interview.values()):
                if ask(interview, field, rare=True):
                    break
    except Back:
        return


def _head(field: Field, more: int, trial: trials.Trial | None) -> None:
    note = f"   (o: {more} rarely needed)" if more else ""
    note += f"   (t, or t ANSWER: {trial.name})" if trial else ""
    where, steps = field.key, talk.steps()
    if field.step in steps:
        where = f"{steps.index(field.step) + 1}. {talk.step_title(field.step)}"
    say(f"\n{where}: {field.question}{note}")


def _help(field: Field) -> None:
    lines = [*helps.more(field.key), field.help]
    lines += [f"{choice.label:<18} {choice.help}" for choice in field.choices]
    if field.kind in (Kind.STRINGS, Kind.MAPPING):
        lines.append(f"{talk.TYPED_AS_SHELL}; - for none")
    _indented(lines)


def _indented(lines: Sequence[str]) -> None:
    for line in lines:
        say(f"   {line}".rstrip())


def _below(interview: Interview, field: Field, before: list[str]) -> list[str]:
    """Prints what the answer leads to, unless that is what was printed before."""
    lines = explain.below(interview, field)
    if lines != before:
        _indented(lines)
    return lines


def _options(interview: Interview, field: Field) -> list[Any]:
    if field.kind is Kind.BOOLEAN:
        _indented(["1  yes", "2  no"])
        return [True, False]
    if field.kind is not Kind.CHOICE:
        return []
    notes = explain.choices(interview, field)
    for number, choice in enumerate(field.choices, 1):
        say(f"   {number}  {choice.label:<18} {notes[choice.value]}")
    return [choice.value for choice in field.choices]


def _default(field: Field, current: Any, options: list[Any]) -> str:
    if options:
        return str(options.index(current) + 1)
    return talk.as_text(field, current)


def _take(interview: Interview, field: Field, text: str, options: list[Any]) -> str:
    """Takes what was typed, or what stood there where nothing was; why it cannot, or ""."""
    if not text:
        return interview.problem(field.key, interview.values()[field.key])
    try:
        return interview.give(field.key, _value(field, text, options))
    except ValueError as error:
        return str(error)


def _value(field: Field, text: str, options: list[Any]) -> Any:
    """What was typed: a number of the list, or the value; ``-`` empties. Raises ValueError."""
    if options and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= len(options):
        return options[int(text) - 1]
    if options and text not in options:
        raise ValueError(f"{quoted(text)}: type a number from 1 to {len(options)}")
    if text == "-" and field.kind in _EMPTY:
        return talk.from_text(field, "")
    return talk.from_text(field, text)


def _sentence(problem: str) -> str:
    """What is wrong, for a reader who types no TOML."""
    if problem.startswith(("is ", "has ", "holds ", "names ")):
        problem = f"this {problem}"
    return problem[:1].upper() + problem[1:].replace('or "" for none', "or - for none")
