"""What the wizard costs, measured from outside: each function gives figures of one kind."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests import bench_bare, bench_ways
from tests.bench_terminal import Program
from tests.bench_ways import DOWN, END, ENTER, ESCAPE, PAGE_DOWN, PAGE_UP, TAB, UP

BARE = ("-m", "tests.bench_bare")
CERTTUI = ("-m", "certtui")

#: Lines and seconds of a certbot that never stops talking, and of one that talks as it does.
FLOOD, FLOOD_SECONDS, TALK, TALK_SECONDS = 100_000, 10, 300, 5

IDLE_SECONDS = 10


@dataclass(frozen=True)
class Figure:
    """Measured values. ``of`` them (their median, or the largest) must not be above the limit.

    Without a limit a figure is only told.
    """

    name: str
    values: Sequence[float]
    limit: float | None = None
    unit: str = ""
    of: Callable[[Sequence[float]], float] = max

    @property
    def within(self) -> bool:
        """Whether the limit is kept."""
        return self.limit is None or self.of(self.values) <= self.limit


@contextmanager
def wizard(*certbot: float) -> Iterator[Program]:
    """A wizard on a root that is thrown away; ``certbot``: lines and seconds, for bench_start."""
    with tempfile.TemporaryDirectory(prefix="certtui-bench-") as folder:
        argv = ("-m", "tests.bench_start", folder, *map(str, certbot))
        with Program(argv, home=Path(folder)) as program:
            yield program


# -- beside a bare program -------------------------------------------------------------------------


def first_paint(times: int) -> list[Figure]:
    """Seconds from the start of the process to its first complete frame, in turns."""
    bare: list[float] = []
    stand_in: list[float] = []
    real: list[float] = []
    bare_work: list[float] = []
    real_work: list[float] = []
    with tempfile.TemporaryDirectory(prefix="certtui-bench-") as folder:
        for _ in range(times + 1):
            with Program(BARE) as program:
                bare.append(program.until(bench_bare.TEXT) - program.start)
                bare_work.append(program.worked())
            with wizard() as program:
                stand_in.append(program.until(bench_ways.painted) - program.start)
            with Program(CERTTUI, home=Path(folder)) as program:
                real.append(program.until(bench_ways.painted) - program.start)
                real_work.append(program.worked())
    for taken in (bare, stand_in, real, bare_work, real_work):
        del taken[0]  # the first of each reads the files from the disk
    return [
        Figure("first paint, bare app", bare, unit="s"),
        Figure("first paint, certtui", real, unit="s"),
        Figure("first paint, certtui / bare", _ratios(real, bare), 1.5, "x", median),
        Figure("first paint, processor time / bare", _ratios(real_work, bare_work), unit="x"),
        Figure("first paint, the tests' wizard / bare", _ratios(stand_in, bare), unit="x"),
    ]


def memory(times: int) -> list[Figure]:
    """Bytes of its own (USS) at Done, beside those of the bare program after its paint."""
    bare: list[float] = []
    wizards: list[float] = []
    for _ in range(times):
        with Program(BARE) as program:
            program.until(bench_bare.TEXT)
            program.settle()
            bare.append(program.memory() / 1e6)
        with wizard() as program:
            bench_ways.done(program)
            wizards.append(program.memory() / 1e6)
    return [
        Figure("memory (USS), bare app", bare, unit="MB"),
        Figure("memory (USS) at Done", wizards, unit="MB"),
        Figure("memory at Done / bare", _ratios(wizards, bare), 1.4, "x", median),
    ]


def _ratios(of: Sequence[float], to: Sequence[float]) -> list[float]:
    return [mine / its for mine, its in zip(of, to, strict=True)]


# -- bytes -----------------------------------------------------------------------------------------


def sent() -> list[Figure]:
    """Goes all the way and counts what each key made the wizard send, in kB of 1000 bytes."""
    steps: list[int] = []
    arrows: list[int] = []
    tabs: list[int] = []
    pages: list[int] = []
    with wizard() as program:
        bench_ways.welcome(program)
        start = program.sent
        for _ in bench_ways.QUESTIONS:
            steps.append(program.key(ENTER))
            arrows += [program.key(DOWN), program.key(UP)]
            tabs += [program.key(TAB) for _ in range(4)]
        program.key(bench_ways.ADDRESS)
        steps.append(program.key(ENTER, "a apply"))
        arrows += [program.key(key) for key in (DOWN, DOWN, UP)]
        tabs += [program.key(TAB) for _ in range(4)]
        pages += [program.key(PAGE_DOWN) for _ in range(2)]
        steps.append(program.key(ENTER, "the whole diff"))
        pages += [program.key(PAGE_DOWN) for _ in range(4)]
        arrows += [program.key(DOWN), program.key(UP)]
        steps.append(program.key(ESCAPE, "a apply"))
        program.key("a", "PROVED")
        steps.append(program.key(ENTER, "Remember"))
    counted: tuple[tuple[str, Sequence[int], float], ...] = (
        ("start", (start,), 12),
        ("a next step", steps, 10),
        ("an arrow", arrows, 3),
        ("Tab", tabs, 4.5),
        ("PgDn in a diff", pages, 3),
    )
    return [
        Figure(f"sent, {name}", [count / 1000 for count in counts], limit, "kB")
        for name, counts, limit in counted
    ]


def idle(seconds: float = IDLE_SECONDS) -> list[Figure]:
    """What each page sends while nobody presses a key; all of them sit there at one time."""
    figures = []
    with ExitStack() as stack:
        programs = {name: stack.enter_context(wizard()) for name in bench_ways.PAGES}
        for name, program in programs.items():
            bench_ways.PAGES[name](program)
        before = {name: (program.sent, program.cpu()) for name, program in programs.items()}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for program in programs.values():
                program.read(0.05)
        for name, program in programs.items():
            sent, _ = before[name]
            figures.append(
                Figure(f"sent in {seconds:g} s idle, {name}", [program.sent - sent], 0, "B")
            )
    return figures


# -- many lines ------------------------------------------------------------------------------------


def streaming(times: int) -> list[Figure]:
    """A certbot that talks for a while: bytes, and processor time beyond an idle wizard's."""
    kilobytes: list[float] = []
    seconds: list[float] = []
    for _ in range(times):
        with wizard(TALK, TALK_SECONDS) as program:
            bench_ways.review(program)
            resting = program.cpu()
            program.read(TALK_SECONDS)
            resting = program.cpu() - resting
            program.answer("a", "Dry run  8/9")
            before, worked = program.sent, program.cpu()
            program.until("PROVED")
            seconds.append(program.cpu() - worked - resting)
            kilobytes.append((program.sent - before) / 1000)
    what = f"{TALK} lines in {TALK_SECONDS} s"
    return [
        Figure(f"{what}: sent", kilobytes, 100, "kB"),
        Figure(f"{what}: processor time", seconds, 0.45, "s", median),
    ]


def flood(times: int) -> list[Figure]:
    """A certbot that talks as fast as it can, then for a while."""
    figures = [_flood("at once", 0, times), _flood(f"in {FLOOD_SECONDS} s", FLOOD_SECONDS, 1)]
    return [figure for some in figures for figure in some]


def _flood(how: str, seconds: float, times: int) -> list[Figure]:
    during: list[float] = []
    after: list[float] = []
    peaks: list[float] = []
    took: list[float] = []
    for _ in range(times):
        with wizard(FLOOD, seconds) as program:
            bench_ways.review(program)
            start = time.monotonic()
            program.answer("a", "of example.com: certbot and its plugins")
            peak = program.memory()
            while "PROVED" not in program.text:
                during += _keys(program)
                peak = max(peak, program.memory())
            took.append(time.monotonic() - start)
            program.settle()
            for _ in range(3):
                after += _keys(program)
            peaks.append(max(peak, program.memory()) / 1e6)
    name = f"{FLOOD:,} lines {how}"
    return [
        Figure(f"{name}: took", took, unit="s"),
        Figure(f"{name}: a key meanwhile", during, 0.1, "s"),
        Figure(f"{name}: a key afterwards", after, 0.1, "s"),
        Figure(f"{name}: memory (USS) at most", peaks, unit="MB"),
    ]


def _keys(program: Program) -> list[float]:
    """Each key's answer: reading back, help, following again. The run may end meanwhile.

    Esc, which ends help, is not counted: every program waits ESCDELAY (0.1 s here) to see whether
    it begins the sequence of another key.
    """
    back = program.answer(PAGE_UP, lambda text: _view(text) is not None and not _at_end(text))
    before = _view(program.text)
    up = program.answer(UP, lambda text: _view(text) not in (None, before))
    there = program.answer("?", "Help")
    program.answer(ESCAPE, lambda text: _view(text) is not None)
    return [back, up, there, program.answer(END, _at_end)]


def _view(text: str) -> int | None:
    """The first row of the log that is in view, where the log says so."""
    found = _POSITION.search(text)
    return int(found[1]) if found else None


def _at_end(text: str) -> bool:
    found = _POSITION.search(text)
    return "following" in text or (found is not None and found[2] == found[3])


#: Which rows of the log are in view: from, to, of how many.
_POSITION = re.compile(r"(?m)^-- certbot.* (\d+)-(\d+) of (\d+)")


def machine() -> str:
    """The machine in a line, for the head of a table."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        model = next((line.split(":")[1].strip() for line in lines if "model name" in line), model)
    return f"{model}, {os.cpu_count()} processors"
