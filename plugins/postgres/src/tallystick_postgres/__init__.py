"""Store Tallystick jobs in PostgreSQL, for production.

Every program that uses Tallystick imports this package, so it loads its modules lazily.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import PostgresBackend
    from .statement import insert_statement

__all__ = ["PostgresBackend", "insert_statement"]

_MODULES = {"PostgresBackend": "backend", "insert_statement": "statement"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
