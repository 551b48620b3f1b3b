"""Fixtures of the demo's tests. None needs root; they skip where certbot is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from certtui.demo.sandbox import Sandbox

from .support import CHECKOUT, HOLDER, Hold, need


@pytest.fixture(scope="session", params=["acme2certifier", "pebble"])
def authority(request: pytest.FixtureRequest) -> str:
    """Each kind of ACME server that is installed here."""
    kind = str(request.param)
    need(kind)
    return kind


@pytest.fixture(scope="session")
def sandbox(authority: str) -> Iterator[Sandbox]:
    """A sandbox with both certificates, made in surroundings that would lead certbot astray."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
            patch.setenv(name, "http://127.0.0.1:9")
        patch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
        old = os.umask(0)  # what certtui is applied to must not become group-writable
        try:
            sandbox = Sandbox(authority=authority)
            with sandbox:
                os.umask(old)
                yield sandbox
        finally:
            os.umask(old)


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Starts holders, and ends those that a failed test left."""
    started: list[subprocess.Popen[str]] = []

    def start(
        authority: str, scratch: Path, environment: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(HOLDER), authority, "demo.example.test"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(CHECKOUT),
                "TMPDIR": str(scratch),
                **(environment or {}),
            },
            **options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
