"""The dashboard of Tallystick: pages and a JSON control plane for any backend. Start at `dashboard`.

Every program that uses Tallystick imports this package, so it loads its modules lazily.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import dashboard
    from .permissions import Permission, User
    from .settings import DashboardSettings

__all__ = ["DashboardSettings", "Permission", "User", "dashboard"]

_MODULES = {
    "DashboardSettings": "settings",
    "Permission": "permissions",
    "User": "permissions",
    "dashboard": "app",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
