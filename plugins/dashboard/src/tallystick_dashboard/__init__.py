"""The dashboard of Tallystick: pages and a JSON control plane for any backend. Start at `dashboard`."""

from .app import dashboard
from .permissions import Permission, User
from .settings import DashboardSettings

__all__ = ["DashboardSettings", "Permission", "User", "dashboard"]
