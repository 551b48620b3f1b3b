"""Writes the pages that are derived: the plan's keys and the doctor's checks.

``python docs/generate.py --check`` writes nothing and ends with 1 if a page is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

import tomlkit

from certtui.doctor import registry, report
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
    """Everything that the doctor can find, a heading each: findings link to them."""
    parts = [_NOTE, _CHECKS_HEAD, f"```text\n{report.listing()}```\n"]
    group = ""
    for kind in registry.kinds():
        if kind.id.partition(".")[0] != group:
            group = kind.id.partition(".")[0]
            parts.append(f"\n## {group}\n")
        parts.append(f"\n### {kind.id}\n\n{kind.severity.value}; expected: {kind.expected}.\n")
        if kind.why:
            parts.append(f"\n{kind.why}\n")
    return "".join(parts)


_CHECKS_HEAD = """\
# The doctor's checks

`certtui doctor` proves that the next renewal will happen and that somebody hears of it if not. Each
finding says what was seen, what was expected and why it matters, and prints the command that mends
it. `--only` and `--skip` take these names or groups ("cron,timer"); `--list --json` lists them for
programs. `--fix` runs the mends that
nobody objects to: what concerns certtui's own files goes through the same journalled apply as
everything else, then services are started and units read again; edited files and whatever a person
must decide are left alone. `--json` is described by [doctor.schema.json](doctor.schema.json).

The exit code is 1 for a failure (`fail`) or a check that broke (`crash`), else 0: a warning
(`warn`) and what could not be looked at (`skip`) do not fail.

"""


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
