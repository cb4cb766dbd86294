"""Find the types whose values no message may show: pydantic's masked types, anywhere inside a type."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Secret, SecretBytes, SecretStr, TypeAdapter

_MASKED = (SecretStr, SecretBytes, Secret)


def has_masked(adapter: TypeAdapter[Any]) -> bool:
    """Return whether a type contains a masked type, or a model that hides its input in errors."""
    return any(_is_masked(node) for node in _nodes(adapter.core_schema))


def declared_names(adapter: TypeAdapter[Any]) -> set[str]:
    """Return the names and aliases of all fields in a type. In an error's location, these parts come from no input."""
    names: set[str] = set()
    for node in _nodes(adapter.core_schema):
        if isinstance(node, Mapping):
            if isinstance(fields := node.get("fields"), Mapping):
                names.update(fields)
            names.update(alias for alias in _nodes(node.get("validation_alias")) if isinstance(alias, str))
    return names


def _is_masked(node: object) -> bool:
    if isinstance(node, Mapping):
        kind = node.get("cls")
        return bool(node.get("hide_input_in_errors")) or (isinstance(kind, type) and issubclass(kind, _MASKED))
    # for `Secret[T]` the schema has no class, only the functions that validate and serialize it
    return getattr(node, "__module__", "") == "pydantic.types" and "secret" in getattr(node, "__qualname__", "").lower()


def _nodes(schema: object) -> Iterator[object]:
    """Yield all nodes of a core schema. It consists of mappings and sequences without cycles."""
    pending = [schema]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, Mapping):
            pending += node.values()
        elif isinstance(node, list | tuple):
            pending += node
