"""Derive the unique key of a job from its payload: the option `unique_by` of a kind."""

import json
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from hashlib import sha256
from typing import Any, Literal

from ..contract import validation
from ..errors import DefinitionError, InvalidArgument
from ..messages.safe_repr import safe_repr

UniqueBy = tuple[str, ...] | Literal["payload"]
"""The names of the payload's fields that make the key, or the whole payload."""

_DIGEST = 32
_LONGEST_KIND = 200
"""In characters, so that a key has at most 255."""

_NO_OBJECTS = ("array", "boolean", "integer", "null", "number", "string")


def check_by(value: object) -> UniqueBy:
    """Return the option as a tuple of names, or as "payload"."""
    if value == "payload":
        return "payload"
    if isinstance(value, str):
        raise InvalidArgument(
            f"unique_by is {safe_repr(value)}; it must be a tuple of names of fields, e.g. ({safe_repr(value)},), or "
            "'payload' for the whole payload"
        )
    return validation.names(value, "unique_by")  # type: ignore[arg-type]  # it rejects what is no collection


def check_fields(kind: str, by: UniqueBy, schema: Mapping[str, Any] | None) -> None:
    """Reject names that the payload of a kind does not have.

    Args:
        schema: The JSON schema of the payload; None for a raw kind, and empty if it is not known.

    Raises:
        DefinitionError: the payload has no field of this name, or no fields at all.
    """
    if by == "payload":
        return
    if schema is None:
        raise DefinitionError(f"{kind!r} is raw, so its payload has no fields; write unique_by='payload'")
    known = _fields(schema)
    if known is None:
        return
    if not known:
        raise DefinitionError(f"the payload of {kind!r} has no fields; write unique_by='payload'")
    for name in by:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise DefinitionError(
                f"unique_by of {kind!r} has {name!r}, which is no field of its payload; {meant}the fields are: "
                f"{', '.join(sorted(known))}"
            )


def key_of(kind: str, by: UniqueBy, payload: bytes) -> str:
    """Return the unique key of a job: its kind, and a digest of the chosen values. A field that is absent is null.

    Raises:
        InvalidArgument: the payload has no fields.
    """
    chosen = payload if by == "payload" else _values(kind, by, payload)
    return f"{kind[:_LONGEST_KIND]}:{sha256(kind.encode() + b' ' + chosen).hexdigest()[:_DIGEST]}"


def _values(kind: str, by: tuple[str, ...], payload: bytes) -> bytes:
    values = json.loads(payload)
    if not isinstance(values, dict):
        raise InvalidArgument(
            f"unique_by of {kind!r} names fields, but the payload is {safe_repr(values)}, which has none; pass a "
            "unique_key"
        )
    return json.dumps({name: values.get(name) for name in by}, sort_keys=True).encode()


def _fields(schema: Mapping[str, Any]) -> Collection[str] | None:
    """Return the names of the fields; None if the schema does not list them."""
    if "$ref" in schema:
        schema = schema.get("$defs", {}).get(schema["$ref"].rpartition("/")[2], {})
    if schema.get("type") in _NO_OBJECTS:
        return ()
    if schema.get("additionalProperties", False) is not False:
        return None
    properties = schema.get("properties")
    return None if properties is None else {*properties}
