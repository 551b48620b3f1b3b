"""What a host with very many certificates costs: doctor and status over 1 to 10,000 lineages.

``nox -s bench``, or ``python -m tests.bench_lineages [COUNT ...]``. Each count has a throw-away
configuration folder as certbot writes it: real EC certificates, each of its own name, links in
``live/``, renewal configurations. Each command is a process of its own, started twice; the faster
one counts. Nothing here fails on a figure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

COUNTS = (1, 100, 1_000, 10_000)
COMMANDS = ("doctor", "status", "doctor --json", "status --json")

#: What is asked for: milliseconds a lineage beyond the first, and MiB at the peak.
MOST_MS, MOST_MIB = 0.3, 80.0

_ROUNDS = 2

# The peak of the program that is measured: the usage that the kernel keeps of a child counts what
# ran before exec, and the programs that it started itself, too (getrusage(2)).
_MEASURED = """\
import sys
from certtui.cli import main
code = main(sys.argv[1:])
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
sys.stderr.write(f"\\npeak {peak}")
sys.exit(code)
"""


@dataclass(frozen=True)
class Cost:
    """One command over ``count`` lineages: wall and processor time, and the peak of memory."""

    command: str
    count: int
    seconds: float
    cpu: float
    mib: float


def measure(command: str, plan: Path, count: int) -> Cost:
    """The faster of two runs."""
    words, *options = command.split()
    argv = [sys.executable, "-c", _MEASURED, words, str(plan), *options]
    costs = []
    for _ in range(_ROUNDS):
        began, spent = time.perf_counter(), _spent()
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        seconds, cpu = time.perf_counter() - began, _spent() - spent
        if done.returncode not in (0, 1):
            raise RuntimeError(f"certtui {command}: {done.returncode}\n{done.stderr}")
        peak = done.stderr.rpartition("peak ")[2]
        costs.append(Cost(command, count, seconds, cpu, int(peak) / 1024))
    return min(costs, key=lambda cost: cost.cpu)


def _spent() -> float:
    """Processor seconds of the children until now."""
    found = os.times()
    return found.children_user + found.children_system


def costs(folder: Path, counts: tuple[int, ...]) -> Iterator[Cost]:
    """All commands over each count. A tree is made by another process, so that this stays small."""
    for count in counts:
        home = folder / str(count)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            plan = pool.submit(_make, home, count).result()
        yield from (measure(command, plan, count) for command in COMMANDS)


def _make(folder: Path, count: int) -> Path:
    from tests import trees

    return trees.make(folder, count)


def table(found: list[Cost]) -> str:
    """A row a command and count; the milliseconds are those of each lineage beyond the first."""
    first = {cost.command: cost for cost in found if cost.count == 1}
    lines = ["command        lineages  seconds  cpu s  ms a lineage  cpu ms    MiB"]
    for cost in sorted(found, key=lambda one: (COMMANDS.index(one.command), one.count)):
        each = cpu = ""
        within = cost.mib < MOST_MIB
        if cost.command in first and cost.count > 1:
            alone, more = first[cost.command], (cost.count - 1) / 1000
            each = f"{(cost.seconds - alone.seconds) / more:.3f}"
            cpu = f"{(cost.cpu - alone.cpu) / more:.3f}"
            within = within and (cost.cpu - alone.cpu) / more <= MOST_MS
        lines.append(
            f"{cost.command:<13}  {cost.count:>8}  {cost.seconds:>7.2f}  {cost.cpu:>5.2f}"
            f"  {each:>12}  {cpu:>6}  {cost.mib:>5.1f}{'' if within else '  NOT WITHIN'}"
        )
    return "\n".join(lines)


def main() -> None:
    """Prints the table."""
    counts = tuple(int(word) for word in sys.argv[1:]) or COUNTS
    with tempfile.TemporaryDirectory(prefix="certtui-bench-") as folder:
        print(table(list(costs(Path(folder), counts))))


if __name__ == "__main__":
    main()
