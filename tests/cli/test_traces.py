"""What an earlier certtui left behind is seen without the rooms that mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from certtui import traces
from certtui.change import outcome, store
from certtui.drill import trace


def test_the_places_are_those_of_the_rooms() -> None:
    assert traces.JOURNAL == store.JOURNAL
    assert traces.STATE == store.STATE
    assert traces.RECORD == outcome.RECORD
    assert traces.DRILL == trace.TRACE


@pytest.mark.parametrize(
    ("names", "unfinished"),
    [
        ((), False),
        (("000001", "000002"), False),
        (("000001", "current"), True),
        (("new",), True),
        (("trash-1",), True),
    ],
)
def test_what_is_not_a_generation_has_to_be_mended(
    tmp_path: Path, names: tuple[str, ...], unfinished: bool
) -> None:
    for name in names:
        (tmp_path / f"var/lib/certtui/journal/{name}").mkdir(parents=True)
    assert traces.unfinished(str(tmp_path)) is unfinished


def test_what_cannot_be_listed_is_left_to_the_room(tmp_path: Path) -> None:
    (tmp_path / "var/lib/certtui").mkdir(parents=True)
    (tmp_path / "var/lib/certtui/journal").write_text("not a folder")
    assert traces.unfinished(str(tmp_path))


def test_a_state_is_seen(tmp_path: Path) -> None:
    assert not traces.applied(str(tmp_path))
    (tmp_path / "var/lib/certtui").mkdir(parents=True)
    (tmp_path / "var/lib/certtui/state.json").touch()
    assert traces.applied(str(tmp_path))
    assert traces.applied(str(tmp_path / "var/lib/certtui/state.json"))


def test_a_record_is_seen(tmp_path: Path) -> None:
    assert not traces.recorded(str(tmp_path))
    (tmp_path / "var/lib/certtui").mkdir(parents=True)
    (tmp_path / "var/lib/certtui/last-apply.jsonl").touch()
    assert traces.recorded(str(tmp_path))


@pytest.mark.parametrize("name", ["drill-at-work", ".drill-at-work.certtui-new~"])
def test_a_drill_is_seen_also_one_that_had_hardly_begun(tmp_path: Path, name: str) -> None:
    assert not traces.drilled(str(tmp_path))
    (tmp_path / "var/lib/certtui").mkdir(parents=True)
    (tmp_path / "var/lib/certtui" / name).touch()
    assert traces.drilled(str(tmp_path))
