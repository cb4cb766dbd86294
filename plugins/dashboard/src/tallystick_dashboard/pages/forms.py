"""A form from the JSON schema of a payload: one input for each simple field, and JSON for the rest."""

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ..rejections import Rejection

InputKind = Literal["text", "secret", "number", "integer", "boolean", "choice", "datetime", "date", "json"]

PREFIX = "field."


class Field(NamedTuple):
    """An input of a form."""

    name: str
    label: str
    kind: InputKind
    required: bool
    description: str
    default: str
    choices: tuple[str, ...] = ()
    nullable: bool = False


def fields_of(schema: Mapping[str, Any] | None) -> list[Field] | None:
    """Return the inputs for a payload; None if it is not an object with known fields, so it is written as JSON."""
    if not schema:
        return None
    resolved = _resolved(schema, schema)
    properties = resolved.get("properties")
    if resolved.get("type") != "object" or not isinstance(properties, Mapping):
        return None
    required = resolved.get("required", [])
    return [_field(name, field, schema, name in required) for name, field in properties.items()]


def _field(name: str, field: Mapping[str, Any], root: Mapping[str, Any], required: bool) -> Field:
    inner, nullable = _without_null(_resolved(field, root), root)
    default = field.get("default")
    kind = _kind(inner)
    shown = "" if default is None else default if isinstance(default, str) else json.dumps(default)
    return Field(
        name=name,
        label=str(field.get("title") or name),
        kind=kind,
        required=required,
        description=str(field.get("description") or inner.get("description") or ""),
        default=shown,
        choices=tuple(json.dumps(choice) for choice in inner.get("enum", ())),
        nullable=nullable,
    )


def _kind(schema: Mapping[str, Any]) -> InputKind:
    if "enum" in schema:
        return "choice"
    if schema.get("writeOnly"):
        return "secret"
    if schema.get("type") == "string":
        return _TEXTS.get(str(schema.get("format")), "text")
    return _SIMPLE.get(str(schema.get("type")), "json")


_TEXTS: dict[str, InputKind] = {"date-time": "datetime", "date": "date"}
_SIMPLE: dict[str, InputKind] = {"integer": "integer", "number": "number", "boolean": "boolean"}


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        target: Mapping[str, Any] = root.get("$defs", {}).get(reference.rpartition("/")[2], {})
        return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _without_null(schema: Mapping[str, Any], root: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    options = schema.get("anyOf")
    if isinstance(options, list):
        rest = [option for option in options if option.get("type") != "null"]
        if len(rest) == 1 and len(options) > 1:
            return _resolved(rest[0], root), True
    return schema, False


def payload_from(fields: list[Field], form: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the payload of a filled form. An empty input that is not required is left out."""
    payload: dict[str, Any] = {}
    for field in fields:
        text = form.get(PREFIX + field.name, [""])[0]
        if field.kind == "boolean":
            payload[field.name] = text == "true"
        elif text or (field.required and field.kind in ("text", "secret")):
            payload[field.name] = _value(field, text)
        elif field.required and field.nullable:
            payload[field.name] = None
    return payload


def _value(field: Field, text: str) -> Any:
    if field.kind in ("text", "secret", "datetime", "date"):
        return text
    return payload_of(text, field.label)


def payload_of(text: str, label: str = "payload") -> Any:
    """Return the value of a JSON text; an empty text is null."""
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError) as exc:
        raise Rejection(422, "%(name)s is not JSON", name=label, detail=str(exc)) from None
