"""The pages that are derived say what the declaration says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from certtui.doctor import registry


def test_reference_pages_are_up_to_date() -> None:
    script = Path(__file__).parents[1] / "docs/generate.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_kind_of_finding_says_why_it_matters() -> None:
    assert [kind.id for kind in registry.kinds() if not kind.why] == []
