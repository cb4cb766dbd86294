"""Store Tallystick jobs in one SQLite file, shared by the processes of one machine.

Every program that uses Tallystick imports this package, so it loads its modules lazily.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import SqliteBackend

__all__ = ["SqliteBackend"]

_MODULES = {"SqliteBackend": "backend"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
