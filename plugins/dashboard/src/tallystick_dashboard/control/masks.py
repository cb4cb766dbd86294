"""Mask secrets in payloads and results: fields that their types mask, and fields whose names match a pattern."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

MASK = "••••••"
"""The text in place of a masked value."""

_DEEPEST = 100
_SECRET_FORMATS = ("password",)

Schema = Callable[[str], Mapping[str, Any] | None]
"""Returns the JSON schema of the payloads of a kind, or None if it is not known."""


class Masks:
    """Decides which fields are masked."""

    def __init__(self, patterns: Iterable[str], schema: Schema = lambda _kind: None) -> None:
        self._patterns = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
        self._schema = cache(lambda kind: schema(kind) or {})
        self._declared = cache(lambda kind: frozenset(secret_names(self._schema(kind))))

    def hides(self, name: str, kind: str = "") -> bool:
        """Return whether a field with this name is masked."""
        return any(pattern.search(name) for pattern in self._patterns) or name in self._declared(kind)

    def payload(self, value: Any, kind: str) -> Any:
        """Return a payload with masked fields, or a mask if its whole type is secret."""
        schema = self._schema(kind)
        return MASK if is_secret(schema, schema) else self.masked(value, kind)

    def masked(self, value: Any, kind: str = "", depth: int = 0) -> Any:
        """Return a JSON value with masked fields."""
        if depth > _DEEPEST:
            return "..."
        if isinstance(value, dict):
            return {
                name: MASK if item is not None and self.hides(name, kind) else self.masked(item, kind, depth + 1)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self.masked(item, kind, depth + 1) for item in value]
        return value

    def restored(self, edited: Any, original: Any, kind: str = "") -> Any:
        """Return an edited value, in which each mask that was left in place is the original value again."""
        if isinstance(edited, dict) and isinstance(original, dict):
            return {
                name: original[name]
                if item == MASK and name in original and self.hides(name, kind)
                else self.restored(item, original.get(name), kind)
                for name, item in edited.items()
            }
        if isinstance(edited, list) and isinstance(original, list):
            pairs = zip(edited, [*original, *[None] * len(edited)], strict=False)
            return [self.restored(item, before, kind) for item, before in pairs]
        return edited

    def texts(self, meta: Mapping[str, str]) -> dict[str, str]:
        """Return meta with masked values."""
        return {name: MASK if self.hides(name) else value for name, value in meta.items()}


def read_json(data: bytes) -> Any:
    """Return bytes as a JSON value. Bytes that are no JSON become `{"base64": ...}`."""
    try:
        value = json.loads(data.decode())
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return {"base64": b64encode(data).decode()}
    return value


def secret_names(schema: Any, root: Any = None) -> Iterable[str]:
    """Yield the names of the properties of a JSON schema that are declared as secret."""
    root = schema if root is None else root
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        if isinstance(properties, Mapping):
            yield from (name for name, field in properties.items() if is_secret(field, root))
        for part in schema.values():
            yield from secret_names(part, root)
    elif isinstance(schema, list):
        for part in schema:
            yield from secret_names(part, root)


def is_secret(field: Any, root: Mapping[str, Any], depth: int = 0) -> bool:
    """Return whether a schema is that of a secret, or of a collection of secrets. `root` has its definitions."""
    if not isinstance(field, Mapping) or depth > _DEEPEST:
        return False
    if field.get("writeOnly") is True or field.get("format") in _SECRET_FORMATS:
        return True
    if isinstance(reference := field.get("$ref"), str):
        return is_secret(root.get("$defs", {}).get(reference.rpartition("/")[2]), root, depth + 1)
    parts = [part for key in _NESTED for part in _as_list(field.get(key))]
    return any(is_secret(part, root, depth + 1) for part in parts)


_NESTED = ("anyOf", "allOf", "oneOf", "items", "prefixItems", "additionalProperties")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
