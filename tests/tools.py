"""Programs that some tests want and that a new machine need not have."""

from __future__ import annotations

import os
import shutil

import pytest


def need(program: str) -> None:
    """Skips the test where a program is missing; in CI, which installs it, the test fails."""
    if shutil.which(program) is not None:
        return
    if os.environ.get("CI") or os.environ.get("CERTTUI_REQUIRE_HOST"):
        pytest.fail(f"{program} is missing, and CI must have it")
    pytest.skip(f"{program} is not installed (apt install {program})")
