"""Store Tallystick jobs in MongoDB, on a single node or a replica set.

Names are imported on first use, because every program that uses Tallystick imports this package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import MongoBackend

__all__ = ["MongoBackend"]

_MODULES = {"MongoBackend": "backend"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
