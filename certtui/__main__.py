"""``python -m certtui``."""

from __future__ import annotations

import sys


def main() -> None:
    """The console script."""
    try:
        from certtui.cli import main as run

        code = run()
    except KeyboardInterrupt:  # while it was still being imported
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
