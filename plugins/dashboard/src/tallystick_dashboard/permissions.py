"""Users of the dashboard, and the actions that they may take."""

from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """An action that changes the store. Every user may read."""

    REQUEUE = "requeue"
    CANCEL = "cancel"
    DELETE = "delete"
    UPDATE = "update"
    ENQUEUE = "enqueue"
    QUEUES = "queues"
    """Pause and resume queues."""
    SCHEDULES = "schedules"
    """Add, edit, pause, resume, remove and run schedules."""


ALL = frozenset(Permission)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the dashboard.

    Args:
        name: The name in the audit log.
        permissions: The actions that the user may take.
        can_see_payloads: Whether payloads, results, meta and the texts of errors are shown.
    """

    name: str = "anonymous"
    permissions: frozenset[Permission] = ALL
    can_see_payloads: bool = True

    def may(self, permission: Permission | str) -> bool:
        """Return whether the user may take an action."""
        return permission in self.permissions
