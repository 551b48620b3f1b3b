"""The house: which room may import which, and what the command line may not cost."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import certtui

PACKAGE = Path(certtui.__file__).parent

#: Each room and what it may import of certtui: one direction, plan -> ... -> doctor, fronts on top.
_PIPELINE = ("plan", "host", "render", "change", "renewal", "doctor", "drill")


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module a file imports, at any depth, but not what only a type checker sees."""
    tree = ast.parse(path.read_text("utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            if node.module == "certtui":
                yield from ((f"certtui.{name.name}", node.lineno) for name in node.names)


def _files(room: str) -> list[Path]:
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{room}.py"]


def _room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "certtui" and len(parts) > 1 else ""


@pytest.mark.parametrize("room", _PIPELINE)
def test_rooms_import_only_the_rooms_before_them(room: str) -> None:
    allowed = {*_PIPELINE[: _PIPELINE.index(room) + 1], "errors", ""}
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {module}"
        for path in _files(room)
        for module, line in _imports(path)
        if _room_of(module) not in allowed
    ]
    assert wrong == []


def test_only_the_tui_imports_textual() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for module, line in _imports(path)
        if module.split(".")[0] in ("textual", "rich") and path.parts[len(PACKAGE.parts)] != "tui"
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ["ask", "plain"])
def test_what_both_wizards_share_knows_neither(room: str) -> None:
    fronts = {"tui", "wizard", "cli", "commands"}
    above = {"ask": {"plain", *fronts}, "plain": fronts}
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {module}"
        for path in _files(room)
        for module, line in _imports(path)
        if _room_of(module) in above[room]
    ]
    assert wrong == []


def test_the_tui_starts_no_program_and_writes_no_file() -> None:
    banned = {"subprocess", "pexpect", "shutil", "certtui.change.files", "certtui.host.interface"}
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {module}"
        for path in _files("tui")
        for module, line in _imports(path)
        if module in banned
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ["plan", "render"])
def test_pure_rooms_start_no_program(room: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {module}"
        for path in _files(room)
        for module, line in _imports(path)
        if module in ("subprocess", "pexpect", "psutil", "socket")
    ]
    assert wrong == []


HEAVY = ("textual", "rich", "pexpect", "psutil", "jinja2", "cryptography")


def _modules_after(code: str, tmp_path: Path) -> set[str]:
    code += "\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    return {line.split(".")[0] for line in done.stdout.splitlines()}


def test_the_command_line_imports_nothing_heavy(tmp_path: Path) -> None:
    assert not _modules_after("import certtui.cli", tmp_path) & {*HEAVY, "tomlkit"}


def test_check_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("version = 1\n")
    found = _modules_after("from certtui.cli import main\nmain(['check', 'p.toml'])", tmp_path)
    assert "tomlkit" in found
    assert not found & set(HEAVY)


def test_every_file_is_small() -> None:
    long = {
        str(path.relative_to(PACKAGE)): count
        for path in PACKAGE.rglob("*.py")
        if (count := len(path.read_text("utf-8").splitlines())) > 300 and path.name != "fields.py"
    }
    assert long == {}
