"""Mutations of what lapses: each on a booted host, named by its id, mended as printed."""

from __future__ import annotations

from tests.host.mutations import Hosts, Keep, Mutation, examine

TABLE = "lapsed"


def test_mutation(hosts: Hosts, row: Mutation, transcript: Keep) -> None:
    examine(hosts, row, transcript)
