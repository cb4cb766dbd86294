"""Rescuing what other workers left behind, and purging what was kept long enough."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from random import random

from ..context import log_fields
from ..state import State
from .service import Service
from .workplace import Workplace

logger = logging.getLogger("tallystick.worker")

_LIMIT = 1_000


class Maintainer:
    """Does both at every interval. Every worker has one; where they meet, the store lets each job have one rescuer."""

    def __init__(self, place: Workplace) -> None:
        self.service = Service("maintainer", self._step)
        self._place = place
        self._keep = {
            State.COMPLETED: place.settings.keep_completed,
            State.DISCARDED: place.settings.keep_discarded,
            State.CANCELLED: place.settings.keep_cancelled,
        }

    def _step(self) -> None:
        self._until_done(self._rescue)
        for state, keep in self._keep.items():
            if keep is not None:
                self._until_done(partial(self._purge, state, keep))
        # drawn, so that workers that started together do not rescue together for ever
        self.service.stopping.wait(self._place.settings.maintenance.total_seconds() * (0.5 + random()))

    def _until_done(self, some: Callable[[], int]) -> None:
        while not self.service.stopping.is_set() and some() == _LIMIT:
            pass

    def _rescue(self) -> int:
        rescued = self._place.backend.rescue(limit=_LIMIT)
        for record in rescued:
            logger.warning(
                "job %s rescued from worker %s: now %s",
                record.id,
                record.worker,
                record.state,
                extra=log_fields(record),
            )
        return len(rescued)

    def _purge(self, state: State, keep: timedelta) -> int:
        try:
            before = datetime.now(UTC) - keep
        except OverflowError:  # longer than there are dates
            return 0
        return self._place.backend.purge([state], before=before, limit=_LIMIT)
