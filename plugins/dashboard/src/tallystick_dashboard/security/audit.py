"""The audit log: who changed what, on which filter, and how many jobs. Entries go to the logger `tallystick.audit`."""

import logging
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from ..permissions import User

logger = logging.getLogger("tallystick.audit")

KEPT = 500
"""How many entries the page shows. The logger receives all of them."""


class AuditEntry(BaseModel):
    """An action, whether it was permitted or not."""

    at: datetime
    user: str
    action: str
    on: str = Field(description="The jobs, queue or schedule.")
    changed: int | None = Field(description="How many records changed. None: not known, or the action was rejected.")
    allowed: bool = True


class Audit:
    """Records actions, and keeps the latest entries in memory."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._entries: deque[AuditEntry] = deque(maxlen=KEPT)
        self._clock = clock

    def record(self, user: User, action: str, on: str, changed: int | None) -> None:
        """Record an action that was carried out."""
        self._add(AuditEntry(at=self._clock(), user=user.name, action=action, on=on, changed=changed))

    def rejected(self, user: User, action: str, on: str) -> None:
        """Record an action that the user may not take."""
        self._add(AuditEntry(at=self._clock(), user=user.name, action=action, on=on, changed=None, allowed=False))

    def latest(self, limit: int = KEPT) -> list[AuditEntry]:
        """Return the latest entries, the newest first."""
        return list(self._entries)[::-1][:limit]

    def _add(self, entry: AuditEntry) -> None:
        self._entries.append(entry)
        logger.log(
            logging.INFO if entry.allowed else logging.WARNING,
            "%s %s %s on %s: %s changed",
            entry.user,
            "did" if entry.allowed else "may not",
            entry.action,
            entry.on,
            "none" if entry.changed is None else entry.changed,
            extra={"audit": entry.model_dump(mode="json")},
        )
