"""The mutation table as data: enough rows, each once, of ids that exist, and each file in use."""

from __future__ import annotations

from pathlib import Path

from certtui.doctor import registry
from tests.host import mutations

ROWS = [row for table in mutations.tables() for row in mutations.rows(table)]


def test_there_are_enough_rows_and_each_name_once() -> None:
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))
    assert sum(bool(row.id) for row in ROWS) >= 40


def test_every_id_is_one_that_doctor_knows() -> None:
    known = {kind.id for kind in registry.kinds()}
    assert {row.id for row in ROWS if row.id} <= known


def test_every_file_has_its_tests() -> None:
    folder = Path(mutations.__file__).parent
    named = {path.stem.removeprefix("test_mutations_") for path in folder.glob("test_mutations_*")}
    assert named == set(mutations.tables())
