"""Writes the pages that are derived: the plan's keys and the doctor's checks.

``python docs/generate.py --check`` writes nothing and ends with 1 if a page is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

import tomlkit

from certtui.doctor import report
from certtui.plan import document
from certtui.plan.fields import FIELDS, Field, Kind

HERE = Path(__file__).parent
_NOTE = "<!-- written by docs/generate.py: change the declaration instead -->\n\n"


def plan_page() -> str:
    """Every key with its type, default and meaning, and a whole plan."""
    parts = [_NOTE, "# The plan\n\n", _PLAN_HEAD]
    section = ""
    for field in FIELDS:
        if field.section != section:
            section = field.section
            parts.append(f"\n## [{section}]\n\n{_TABLE_HEAD}")
        parts.append(_row(field))
    parts.append("\n## A whole plan\n\n```toml\n" + document.new({}, "plan.toml").text + "```\n")
    return "".join(parts)


_PLAN_HEAD = """\
`/etc/certtui/plan.toml` unless another file is named. The plan is data, never code: control
characters, line breaks and unknown keys are refused, each with line and column, all at once
(`certtui check`). Apply installs the plan it applied there with mode 0600. `certtui schema` prints
a JSON Schema for editors.
"""
_TABLE_HEAD = "| key | type | default | meaning |\n|---|---|---|---|\n"


def _row(field: Field) -> str:
    if field.kind is Kind.INTEGER:
        kind = f"{field.kind.value}, {field.minimum} to {field.maximum}"
    elif field.kind is Kind.CHOICE:
        kind = ", ".join(f"`{choice.value}`" for choice in field.choices)
    else:
        kind = field.kind.value
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    default = tomlkit.item(value).as_string() or "{}"
    meaning = f"{field.question} {field.help}".replace("|", "\\|")
    return f"| `{field.name}` | {kind} | `{default}` | {meaning} |\n"


def checks_page() -> str:
    """The doctor's checks as ``certtui doctor --list`` prints them."""
    head = (
        "# The doctor's checks\n\n`certtui doctor --only ID` and `--skip ID` take these names.\n\n"
    )
    return f"{_NOTE}{head}```text\n{report.listing()}```\n"


PAGES = {"plan.md": plan_page, "checks.md": checks_page}


def main(arguments: list[str]) -> int:
    """Writes the pages, or with ``--check`` compares them."""
    stale = [name for name, page in PAGES.items() if _read(HERE / name) != page()]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/{name} is out of date: run `python docs/generate.py`", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (HERE / name).write_text(PAGES[name](), encoding="utf-8")
    return 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
