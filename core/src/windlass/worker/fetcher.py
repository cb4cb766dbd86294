"""Claiming jobs while there is room for them, and handing them to those who work them."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic

from ..context import Context, log_fields
from ..outcomes import Release
from ..records import Record
from .flight import Flight
from .service import Service
from .workplace import Workplace

logger = logging.getLogger("windlass.worker")

UNKNOWN_KIND_DELAY = timedelta(seconds=30)
"""How long a job of a kind that this runner does not know is put off, so that another worker can have it."""

_ROOM_WAIT = 0.5
_SHORTEST_IDLE = 0.001


class Fetcher:
    """Claims, and waits where there is nothing to claim."""

    def __init__(self, place: Workplace, flight: Flight, hand_out: Callable[[Sequence[Context]], None]) -> None:
        self.service = Service("fetcher", self._step)
        self._place = place
        self._flight = flight
        self._hand_out = hand_out
        self._idle = _SHORTEST_IDLE

    def _step(self) -> None:
        self._flight.freed.clear()
        room = self._flight.room()
        if not room:
            self._flight.freed.wait(_ROOM_WAIT)
            return
        settings = self._place.settings
        records = self._place.backend.claim(
            self._place.queues, limit=min(room, settings.batch), worker=settings.worker, lease=settings.lease
        )
        if records:
            self._take(records)
            self._idle = _SHORTEST_IDLE
        else:
            self._wait()

    def _take(self, records: Sequence[Record]) -> None:
        extend_at = monotonic() + self._place.extend_interval
        definitions = self._place.definitions
        unknown = [record for record in records if record.kind not in definitions]
        contexts = [
            Context(record, definition, extend_at)
            for record in records
            if (definition := definitions.get(record.kind)) is not None
        ]
        self._place.observers.claimed(records)
        self._flight.take(contexts)
        self._hand_out(contexts)
        self._put_back(unknown)

    def _put_back(self, unknown: list[Record]) -> None:
        if unknown:
            for record in unknown:
                logger.warning("no handler for kind %r; put back", record.kind, extra=log_fields(record))
            self._place.backend.settle([Release(record.claim, UNKNOWN_KIND_DELAY) for record in unknown])

    def _wait(self) -> None:
        """Wait for a job. Hints that come at once and are wrong, one after another, are met by ever longer pauses."""
        settings = self._place.settings
        began = monotonic()
        if self._place.backend.wait(self._place.queues, timeout=settings.poll) and monotonic() - began < self._idle:
            self.service.stopping.wait(self._idle)
            self._idle = min(self._idle * 2, settings.poll.total_seconds())
        else:
            self._idle = _SHORTEST_IDLE
