"""Starts a wizard on a throw-away root: ``python -m tests.tui.start ROOT [--plain] [PAUSE]``."""

from __future__ import annotations

import sys
from pathlib import Path

from certtui import cli, wizard
from tests.tui.support import session


def main(argv: list[str]) -> int:
    words = [word for word in argv[1:] if word != "--plain"]

    def work() -> int:
        made = session(Path(argv[0]), pause=words[0] if words else "0")
        return wizard.run_session(made, plain="--plain" in argv)

    return cli.guarded(work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
