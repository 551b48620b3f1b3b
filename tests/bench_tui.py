"""What the full-screen wizard costs, in a table: ``nox -s bench``, or this file by itself.

Ratios are of values taken in turns within one run, so that a slow machine slows both. Nothing here
fails on a figure; tests/tui/test_bytes.py holds those that do not depend on the machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterable
from statistics import median

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tests import bench_figures
from tests.bench_figures import Figure

#: The kinds of figures, in the order of the table: name -> how to measure, with how many turns.
KINDS: dict[str, Callable[[int], list[Figure]]] = {
    "paint": bench_figures.first_paint,
    "memory": lambda times: bench_figures.memory(max(1, times // 2)),
    "sent": lambda times: bench_figures.sent(),
    "idle": lambda times: bench_figures.idle(),
    "stream": lambda times: bench_figures.streaming(max(1, times // 3)),
    "flood": lambda times: bench_figures.flood(max(1, times // 3)),
}


def table(figures: Iterable[Figure]) -> str:
    """A row a figure."""
    rows = [f"{'figure':<44} {'median':>8} {'min':>8} {'max':>8}    {'limit':>6}"]
    for figure in figures:
        values = (median(figure.values), min(figure.values), max(figure.values))
        cells = " ".join(f"{value:>8.3g}" for value in values)
        row = f"{figure.name:<44} {cells} {figure.unit:<2}"
        if figure.limit is not None:
            row += f" {figure.limit:>6g}  {'within' if figure.within else 'NOT WITHIN'}"
        rows.append(row.rstrip())
    return "\n".join(rows)


def main(argv: list[str]) -> int:
    """Measures the kinds named, or all, and prints the table as it grows."""
    parser = argparse.ArgumentParser(prog="bench_tui", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--times", type=int, default=9, help="turns (default: 9)")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.kinds) - set(KINDS)
    if unknown:
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    print(f"{bench_figures.machine()}, Python {platform.python_version()}, 80x24, xterm-256color")
    head = table([])
    print(head)
    for name, measure in KINDS.items():
        if not arguments.kinds or name in arguments.kinds:
            print(table(measure(arguments.times)).partition("\n")[2], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
