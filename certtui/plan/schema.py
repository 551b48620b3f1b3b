"""The plan's JSON Schema (2020-12), derived from the declaration."""

from __future__ import annotations

from typing import Any

from certtui.plan import model
from certtui.plan.fields import FIELDS, Field, Kind


def json_schema() -> dict[str, Any]:
    """A schema for editors and pipelines; `certtui check` knows more (mail addresses, paths)."""
    sections: dict[str, dict[str, Any]] = {}
    for field in FIELDS:
        section = sections.setdefault(
            field.section, {"type": "object", "additionalProperties": False, "properties": {}}
        )
        section["properties"][field.name] = _of_field(field)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "certtui plan",
        "type": "object",
        "additionalProperties": False,
        "required": ["version"],
        "properties": {
            "version": {"const": model.VERSION, "description": "the plan's format"},
            **sections,
        },
    }


def _of_field(field: Field) -> dict[str, Any]:
    shape: dict[str, Any] = {"description": field.help}
    if field.kind is Kind.CHOICE:
        shape |= {"enum": [choice.value for choice in field.choices]}
    elif field.kind is Kind.INTEGER:
        shape |= {"type": "integer", "minimum": field.minimum, "maximum": field.maximum}
    elif field.kind is Kind.BOOLEAN:
        shape |= {"type": "boolean"}
    elif field.kind is Kind.STRINGS:
        shape |= {"type": "array", "items": {"type": "string"}}
    elif field.kind is Kind.MAPPING:
        shape |= {"type": "object", "additionalProperties": {"type": "string"}}
    else:
        shape |= {"type": "string"}
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return shape | {"default": default}
