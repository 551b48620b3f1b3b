"""``python -m certtui``."""

from __future__ import annotations

import sys


def main() -> None:
    """The console script."""
    from certtui.cli import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
