"""The administrator's own TOML: read with positions, rewritten with every comment kept."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError

from certtui.errors import PlanInvalid, PlanMissing, Problem
from certtui.plan import fields, positions, validate
from certtui.plan.fields import BY_KEY, FIELDS, Field, Kind
from certtui.plan.model import VERSION, Plan

#: Bytes. A full plan is about 2 KiB.
MAX_SIZE = 256 * 1024

_SECTION_NOTES = {
    "webserver": "which server must load a renewed certificate",
    "schedule": "what starts the renewal, and how often",
    "mail": "who is told",
    "certbot": "how certbot is run",
    "files": "where things go",
    "notify": "a dead man's switch: your monitoring alarms when the request stays away",
}


class Document:
    """A valid plan and the text it came from."""

    def __init__(self, text: str, file: str) -> None:
        """Raises :class:`PlanInvalid` with every problem of the text."""
        try:
            found, doc, values = _read(text, file)
        except RecursionError:
            message = "is nested far too deeply for a plan: is this the right file?"
            raise PlanInvalid((Problem(file, 1, 1, "", message),)) from None
        if found:
            raise PlanInvalid(tuple(found))
        self.file = file
        self._doc = doc
        self._values = values

    @property
    def plan(self) -> Plan:
        """The typed plan, missing keys at their defaults."""
        return Plan.from_values({**fields.defaults(), **self._values})

    @property
    def text(self) -> str:
        return tomlkit.dumps(self._doc)

    @property
    def content(self) -> bytes:
        return self.text.encode("utf-8")

    def update(self, answers: Mapping[str, Any]) -> None:
        """Sets keys where they differ; comments, order and every other byte stay.

        Raises :class:`PlanInvalid` and changes nothing if the result would not be valid.
        """
        wrong = validate.problems({**self._values, **answers})
        if wrong:
            raise PlanInvalid(tuple(Problem(self.file, 1, 1, *problem) for problem in wrong))
        current = {**fields.defaults(), **self._values}
        for key, value in answers.items():
            if key in BY_KEY and _plain(current[key]) != _plain(value):
                self._set(BY_KEY[key], value)
                self._values[key] = value

    def _set(self, field: Field, value: Any) -> None:
        if field.section not in self._doc:
            self._doc[field.section] = tomlkit.table()
        section = self._doc[field.section]
        assert isinstance(section, Mapping)
        section[field.name] = _plain(value)  # type: ignore[index]


def new(answers: Mapping[str, Any], file: str) -> Document:
    """A plan with every key written out, each with its one-line comment.

    Raises :class:`PlanInvalid` if the answers are not valid.
    """
    complete = {**fields.defaults(), **answers}
    wrong = validate.problems(complete)
    if wrong:
        raise PlanInvalid(tuple(Problem(file, 1, 1, *problem) for problem in wrong))
    lines = [
        "# certtui's plan for the renewal of this host's certificates.",
        "# Change it, then: certtui diff, certtui apply. Every key is explained by certtui schema.",
        f"version = {VERSION}",
    ]
    section = ""
    for field in FIELDS:
        if field.kind is Kind.MAPPING:
            lines += ["", f"[{field.key}]  # {field.help}"]
            lines += [
                f"{name} = {tomlkit.item(content).as_string()}"
                for name, content in complete[field.key].items()
            ]
            continue
        if field.section != section:
            section = field.section
            lines += ["", f"[{section}]  # {_SECTION_NOTES[section]}"]
        value = tomlkit.item(_plain(complete[field.key])).as_string()
        lines.append(f"{field.name} = {value}".ljust(31) + f" # {field.help}")
    return Document("\n".join(lines) + "\n", file)


def load(path: str) -> Document:
    """Reads a plan. Raises :class:`PlanMissing` or :class:`PlanInvalid`."""
    return Document(decode(read_bytes(path), path), path)


def read_bytes(path: str) -> bytes:
    """The bytes of a plan file. Raises :class:`PlanMissing`, or PlanInvalid if it is too large."""
    try:
        # O_NONBLOCK: a FIFO given as plan must be refused, not waited for.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise PlanMissing(f"{path}: {_why(error)}") from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise PlanMissing(f"{path}: not a regular file; name the plan's TOML file")
        if found.st_size > MAX_SIZE:
            raise _too_large(path, found.st_size)
        return os.read(fd, MAX_SIZE + 1)
    finally:
        os.close(fd)


def decode(data: bytes, path: str) -> str:
    """The text of a plan file. Raises :class:`PlanInvalid` at the first byte that is not text."""
    if len(data) > MAX_SIZE:
        raise _too_large(path, len(data))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = positions.line_column(before, len(before))
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the plan as UTF-8 text"
        raise PlanInvalid((Problem(path, line, column, "", message),)) from None


def _too_large(path: str, size: int) -> PlanInvalid:
    message = f"is {size} bytes; a plan has at most {MAX_SIZE}: is this the right file?"
    return PlanInvalid((Problem(path, 1, 1, "", message),))


def _why(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "no such file; write one with `certtui init`, or run `certtui` for the wizard"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "may not be read by this user; run as root"
    return f"{os.strerror(error.errno or 0)}; name a plan that can be read"


def _read(text: str, file: str) -> tuple[list[Problem], tomlkit.TOMLDocument, dict[str, Any]]:
    found: list[Problem] = []

    def add(offset: int, key: str, message: str) -> None:
        found.append(Problem(file, *positions.line_column(text, offset), key, message))

    nothing = tomlkit.document()
    try:
        entries = positions.scan(text)
    except positions.ScanError as error:
        return [_syntax(text, file, error.offset)], nothing, {}
    readable, broken = text, False
    seen: dict[tuple[str, ...], positions.Entry] = {}
    for entry in entries:
        if entry.header == "[[":
            add(entry.start, ".".join(entry.path), "is an array of tables; write one [ ] table")
        elif entry.path in seen:
            broken = broken or bool(entry.header)
            first, _ = positions.line_column(text, seen[entry.path].start)
            add(entry.start, ".".join(entry.path), f"is given twice, first in line {first}")
            blank = "".join("\n" if c == "\n" else " " for c in text[entry.start : entry.end])
            readable = readable[: entry.start] + blank + readable[entry.end :]
        seen.setdefault(entry.path, entry)
    if broken:  # the keys under a repeated header belong nowhere, so nothing more can be said
        return found, nothing, {}
    try:
        doc = tomlkit.parse(readable)
    except TOMLKitError:
        return [*found, _syntax(readable, file, 0)], nothing, {}
    values, wrong = _flat(doc)
    wrong += validate.problems(values)
    for key, message in wrong:
        add(_offset(seen, tuple(key.split("."))), key, message)
    found.sort(key=lambda problem: (problem.line, problem.column))
    return found, doc, values


def _flat(doc: tomlkit.TOMLDocument) -> tuple[dict[str, Any], list[validate.Found]]:
    """Flat dotted values of the known keys, and what is wrong with the shape of the rest."""
    values: dict[str, Any] = {}
    wrong: list[validate.Found] = []
    sections = {field.section for field in FIELDS}
    if "version" not in doc:
        wrong.append(("version", f"is missing; the plan begins with version = {VERSION}"))
    for name, part in doc.unwrap().items():
        if name == "version":
            problem = validate.version_problem(part)
            wrong += [(name, problem)] if problem else []
        elif name not in sections:
            wrong.append((name, validate.unknown_key((name,))))
        elif not isinstance(part, dict):
            if not isinstance(doc[name], list):
                wrong.append((name, f"is a table: write [{name}] on a line of its own"))
        else:
            for key, value in part.items():
                dotted = f"{name}.{key}"
                if dotted in BY_KEY:
                    values[dotted] = tuple(value) if isinstance(value, list) else value
                else:
                    wrong.append((dotted, validate.unknown_key((name, key))))
    return values, wrong


def _offset(seen: Mapping[tuple[str, ...], positions.Entry], path: tuple[str, ...]) -> int:
    """Where a key stands; else where the nearest thing above it does."""
    while path:
        if path in seen:
            return seen[path].start
        path = path[:-1]
    return 0


def _syntax(text: str, file: str, offset: int) -> Problem:
    try:
        tomlkit.parse(text)
    except ParseError as error:
        reason = str(error).rpartition(" at line ")[0] or str(error)
        if "\\x00" in reason and "\x00" not in text:  # how tomlkit names the end of the text
            reason = "the text ends in the middle of a value"
        return Problem(file, error.line, error.col + 1, "", f"not TOML: {reason}")
    except TOMLKitError as error:
        return Problem(file, *positions.line_column(text, offset), "", f"not TOML: {error}")
    return Problem(file, *positions.line_column(text, offset), "", "not TOML")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
