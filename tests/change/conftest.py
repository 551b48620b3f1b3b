"""What the tests of this room share."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync(2) in no time: it outlives a machine, and a test only ends processes."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
