from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.render.support import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine with nginx under systemd and a mailer; certbot finds nothing due."""
    made = Machine(tmp_path / "m")
    made.mailer()
    made.server()
    made.certbot("exit 0")
    yield made
    made.clear()
