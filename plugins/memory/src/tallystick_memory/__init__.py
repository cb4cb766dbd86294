"""Store Tallystick jobs in this process's memory, for tests and for work that may be lost when the process ends.

Every program that uses Tallystick imports this package, so it loads its modules lazily.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import MemoryBackend

__all__ = ["MemoryBackend"]

_MODULES = {"MemoryBackend": "backend"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
