"""Local times are the host's: cron goes by its zone, not by that of a login that brought a TZ."""

from __future__ import annotations

import os
import subprocess
import sys

_ASK = """\
import sys, time
from certtui.cli import main
main(["schema"])
print(time.timezone, file=sys.stderr)
"""


def _timezone(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _ASK],
        env={**{k: v for k, v in os.environ.items() if k != "TZ"}, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def test_the_callers_zone_does_not_count() -> None:
    assert _timezone(TZ="XYZ-9:37") == _timezone()
