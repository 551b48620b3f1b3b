"""The ways to the wizard's pages, by the keys that a person presses."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench_terminal import Program

DOWN, UP, END = "\x1b[B", "\x1b[A", "\x1b[F"
PAGE_UP, PAGE_DOWN = "\x1b[5~", "\x1b[6~"
ENTER, ESCAPE, TAB = "\r", "\x1b", "\t"
ADDRESS = "admin@example.com"

#: The questions' places in the title line.
QUESTIONS = ("2/9", "3/9", "4/9", "5/9")

Way = Callable[[Program], object]


def painted(text: str) -> bool:
    """The wizard's first frame is complete: title, page and keys."""
    lines = text.splitlines()
    return lines[0].startswith(" certtui") and "Welcome" in lines[0] and "q quit" in lines[-1]


def welcome(program: Program) -> None:
    """To the first page, with the facts in it."""
    program.until("Enter go on")
    program.settle()


def question(program: Program, place: str) -> None:
    """To the question at that place of the title line."""
    welcome(program)
    for passed in QUESTIONS[: QUESTIONS.index(place) + 1]:
        program.answer(ENTER, f"  {passed}")
        program.settle(0.1)


def review(program: Program) -> None:
    """To the page before anything is written."""
    question(program, QUESTIONS[-1])
    program.press(ADDRESS)
    program.settle(0.1)
    program.answer(ENTER, "a apply")
    program.settle()


def proved(program: Program) -> None:
    """To the end of the dry run."""
    review(program)
    program.answer("a", "PROVED")
    program.settle()


def done(program: Program) -> None:
    """To the last page."""
    proved(program)
    program.answer(ENTER, "Remember")
    program.settle()


def _to(place: str) -> Way:
    return lambda program: question(program, place)


def _questions() -> dict[str, Way]:
    return {f"question {place}": _to(place) for place in QUESTIONS}


def _then(way: Way, *keys: str) -> Way:
    def go(program: Program) -> None:
        way(program)
        for key in keys:
            program.key(key)

    return go


#: Every page on which somebody may sit and think.
PAGES: dict[str, Way] = {
    "Welcome": welcome,
    **_questions(),
    "Review": review,
    "the whole diff": _then(review, ENTER),
    "the finished dry run": proved,
    "Done": done,
    "Doctor": _then(welcome, "d"),
    "Status": _then(welcome, "s"),
    "Help": _then(welcome, "?"),
    "all answers": _then(welcome, "="),
}
