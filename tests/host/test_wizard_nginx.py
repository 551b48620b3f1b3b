"""Each backend from Welcome to Done on a host with nginx, by way of every detour."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.host.conftest import Login
from tests.host.journey import BACKENDS, journey
from tests.host.machine import Machine
from tests.host.person import Keep
from tests.host.web import NGINX, Web

#: The others are with Apache in every run, and here in ``nox -s host_full``.
IN_EVERY_RUN = ("systemd-timer", "at-block")


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param(name, marks=[] if name in IN_EVERY_RUN else [pytest.mark.full])
        for name in BACKENDS
    ],
)
def test_journey(
    fresh_host: Callable[[Web], Machine], login: Login, transcript: Keep, backend: str
) -> None:
    journey(fresh_host(NGINX), login, transcript, backend)
