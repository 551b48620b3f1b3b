"""What the commands cost beside an empty interpreter: ``nox -s bench``.

Each command is a whole process, started anew. pyperf prints the mean and its spread; nothing here
fails on a figure.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pyperf  # type: ignore[import-untyped,import-not-found,unused-ignore]


def main() -> None:
    """Times the interpreter, then the commands that an administrator waits for."""
    runner = pyperf.Runner(values=5, warmups=1, processes=4)
    folder = Path(tempfile.gettempdir()) / f"certtui-bench-{os.getuid()}"
    (folder / "var/lib").mkdir(parents=True, exist_ok=True)
    (folder / "etc").mkdir(exist_ok=True)
    plan = folder / "plan.toml"
    plan.write_text("version = 1\n[webserver]\nkind = 'none'\n", encoding="utf-8")
    certtui = [sys.executable, "-m", "certtui"]
    runner.bench_command("interpreter", [sys.executable, "-c", "pass"])
    runner.bench_command("version", [*certtui, "--version"])
    runner.bench_command("check", [*certtui, "check", str(plan)])
    runner.bench_command("schema", [*certtui, "schema"])
    runner.bench_command(
        "apply-root", [*certtui, "apply", str(plan), "--root", str(folder), "--no-dry-run"]
    )


if __name__ == "__main__":
    main()
