"""The command line as scripts a person can read: each file in ``cases/`` is one.

``$ COMMAND`` runs it in a new folder and ``? N`` is the exit code it must end with (0 if left
out). ``>`` lines are what must be on standard output and ``!`` lines what must be on standard
error, all of them in this order; a line ending in ``...`` needs only to begin so. ``-- NAME --``
begins a file that is there before; the escapes of Python strings count in it.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


@dataclass
class Call:
    line: int
    argv: list[str]
    code: int = 0
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)


def read(case: Path) -> tuple[list[Call], dict[str, str]]:
    calls: list[Call] = []
    files: dict[str, str] = {}
    name = ""
    for number, line in enumerate(case.read_text("utf-8").splitlines(), 1):
        if line.startswith("-- ") and line.endswith(" --"):
            name = line[3:-3]
            files[name] = ""
        elif name:
            files[name] += line + "\n"
        elif line.startswith("$ "):
            calls.append(Call(number, shlex.split(line[2:])))
        elif line.startswith("? "):
            calls[-1].code = int(line[2:])
        elif line.startswith(("> ", ">")) and calls:
            calls[-1].out.append(line[2:])
        elif line.startswith("! "):
            calls[-1].err.append(line[2:])
        elif line and not line.startswith("#"):
            raise ValueError(f"{case}:{number}: not a line of a case")
    return calls, files


def agrees(expected: list[str], said: str) -> bool:
    lines = said.splitlines()
    return len(lines) == len(expected) and all(
        line.startswith(want[:-3]) if want.endswith("...") else line == want
        for want, line in zip(expected, lines, strict=True)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_case(case: Path, tmp_path: Path) -> None:
    calls, files = read(case)
    assert calls
    for name, content in files.items():
        data = content.encode("latin-1", "backslashreplace").decode("unicode_escape")
        (tmp_path / name).write_bytes(data.encode("latin-1"))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONWARNINGS": "error",
        "LC_ALL": "C.UTF-8",
    }
    for call in calls:
        assert call.argv[0] == "certtui"
        done = subprocess.run(
            [sys.executable, "-m", "certtui", *call.argv[1:]],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        where = f"{case.name}:{call.line}\n{done.stdout}{done.stderr}"
        assert done.returncode == call.code, where
        assert agrees(call.out, done.stdout), where
        assert agrees(call.err, done.stderr), where
