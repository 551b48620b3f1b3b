"""Shell scripts from templates: plan values enter as quoted words at one place, nowhere else.

A template is a real file. A line ``# @values`` becomes the assignments, a line ``# @include NAME``
the text of another template; nothing else in it is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pkgutil import get_data

_VALUES = "# @values"
_INCLUDE = "# @include "


def template(name: str) -> str:
    """The text of a file in ``templates/``."""
    # Not importlib.resources: it brings zipfile, 0.5 MB for as long as the wizard lives.
    content = get_data("certtui.render", f"templates/{name}")
    assert content is not None, "templates are files of the package"
    return content.decode("utf-8")


def quote(value: str) -> str:
    """A word that any POSIX shell reads back as exactly this value (POSIX, 2.2.2).

    Between single quotes every byte stands for itself; a single quote ends them, stands escaped,
    and begins them anew. NUL cannot be in an argument at all; a plan holds none.
    """
    return "'" + value.replace("'", "'\\''") + "'"


def words(values: Iterable[str]) -> str:
    """Several values as quoted words."""
    return " ".join(quote(value) for value in values)


def assignments(values: Mapping[str, str]) -> str:
    """``NAME='value'``, one a line. The names are ours, never the plan's."""
    return "\n".join(f"{name}={quote(value)}" for name, value in values.items())


def function(name: str, body: str) -> str:
    """A function of one command."""
    return f"{name}() {{\n    {body}\n}}"


def script(name: str, values: str, parts: Mapping[str, str] | None = None) -> bytes:
    """A whole script from a template. ``parts`` says which file an ``@include @PART`` means."""
    lines: list[str] = []
    for line in template(name).splitlines():
        if line == _VALUES:
            lines += ["# The plan's values, as data.", values]
        elif line.startswith(_INCLUDE):
            wanted = line.removeprefix(_INCLUDE)
            lines.append(template((parts or {}).get(wanted, wanted)).rstrip("\n"))
        else:
            lines.append(line)
    return ("\n".join(lines) + "\n").encode("utf-8")
