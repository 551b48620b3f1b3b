"""Starts a wizard on a throw-away root: ``python -m tests.tui.start ROOT [--plain] [PAUSE]``."""

from __future__ import annotations

import sys
from pathlib import Path

from certtui import cli, wizard
from certtui.errors import CerttuiError
from tests.tui.support import session


def main(argv: list[str]) -> int:
    cli._end_politely()
    words = [word for word in argv[1:] if word != "--plain"]
    try:
        made = session(Path(argv[0]), pause=words[0] if words else "0")
        return wizard.run_session(made, plain="--plain" in argv)
    except CerttuiError as error:
        print(f"certtui: {error}", file=sys.stderr)
        return int(error.exit_code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
