"""Each row of the mutation table on a booted host: named by its id, mended as printed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.host.conftest import Machines, booted
from tests.host.mutations import Hosts, Keep, Mutation, examine, rows

ROWS = rows()


@pytest.fixture(scope="module")
def hosts(machine: Machines) -> Iterator[Hosts]:
    """Each is booted when its first row comes, and goes with the module."""
    with booted(machine) as boot:
        yield Hosts(boot)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_what_is_broken_in_silence_is_named_and_mended(
    hosts: Hosts, row: Mutation, transcript: Keep
) -> None:
    examine(hosts, row, transcript)
