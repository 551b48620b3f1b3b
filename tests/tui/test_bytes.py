"""What the wizard sends at 80x24 with 256 colours stays light enough for a slow line.

Bytes do not depend on the machine's speed, so they are held here; seconds and memory are measured
by ``nox -s bench``.
"""

from __future__ import annotations

import pytest

from tests import bench_figures


@pytest.fixture(scope="module")
def sent() -> dict[str, bench_figures.Figure]:
    """Each kind of key on one whole way through the wizard."""
    return {figure.name: figure for figure in bench_figures.sent()}


@pytest.mark.parametrize("what", ["start", "a next step", "an arrow", "Tab", "PgDn in a diff"])
def test_no_key_costs_more_than_it_may(sent: dict[str, bench_figures.Figure], what: str) -> None:
    figure = sent[f"sent, {what}"]
    assert figure.within, f"kB: {figure.values}, at most {figure.limit}"
    assert what == "an arrow" or min(figure.values) > 0


def test_no_page_sends_anything_while_nobody_presses_a_key() -> None:
    said = {figure.name: figure.values[0] for figure in bench_figures.idle(4) if figure.values[0]}
    assert said == {}


def test_certbots_words_do_not_fill_the_line() -> None:
    figure = bench_figures.streaming(1)[0]
    assert figure.within, f"kB: {figure.values}, at most {figure.limit}"
