"""Writes every script that can be rendered into a folder: ``python -m tests.render.export DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.render.test_build import scripts_of_all


def main(arguments: list[str]) -> int:
    """``arguments`` is ``[DIR]``."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    print(f"{len(scripts_of_all(folder))} different scripts in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
