"""Claiming jobs while there is room for them, and handing them to those who work them."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic
from typing import Any

from ..definition import Definition
from ..records import Record
from .flight import Flight
from .run import Run
from .service import Service
from .unknown import UNKNOWN
from .workplace import Workplace

_ROOM_WAIT = 0.5
_SHORTEST_IDLE = 0.001

_REAL_WAIT = 0.05
"""Seconds after which a hint cannot be one of a row that comes at once and is wrong."""

_SLICE = timedelta(seconds=0.5)
"""How long a stop may have to wait for a wait."""


class Fetcher:
    """Claims, and waits where there is nothing to claim."""

    def __init__(self, place: Workplace, flight: Flight, hand_out: Callable[[Sequence[Run]], None]) -> None:
        self.service = Service("fetcher", self._step)
        self._place = place
        self._flight = flight
        self._hand_out = hand_out
        self._idle = _SHORTEST_IDLE
        self._hinted_at_once = False

    def _step(self) -> None:
        self._flight.freed.clear()
        room = self._flight.room()
        if not room:
            self._flight.freed.wait(_ROOM_WAIT)
            return
        settings = self._place.settings
        records = self._place.backend.claim(
            self._place.queues, limit=min(room, self._place.batch), worker=settings.worker, lease=settings.lease
        )
        if records:
            self._take(records)
            self._hinted_at_once = False
        else:
            self._wait()

    def _take(self, records: Sequence[Record]) -> None:
        """Take committed claims in hand. Until then nothing may raise: the jobs would wait for their leases to end."""
        extend_at = monotonic() + self._place.extend_interval
        runs = [Run(self._place, record, self._definition(record.kind), extend_at) for record in records]
        self._flight.take(runs)
        try:
            self._place.observers.claimed(records)
        finally:
            self._hand_out(runs)

    def _definition(self, kind: object) -> Definition[Any, Any]:
        return self._place.definitions.get(kind, UNKNOWN) if isinstance(kind, str) else UNKNOWN

    def _wait(self) -> None:
        """Wait for a job. Hints that came at once and were wrong, one after another, are met by ever longer pauses."""
        poll = self._place.settings.poll.total_seconds()
        if self._hinted_at_once:
            self.service.stopping.wait(self._idle)
            self._idle = min(self._idle * 2, poll)
        else:
            self._idle = _SHORTEST_IDLE
        began = monotonic()
        self._hinted_at_once = self._hinted_within(poll) and monotonic() - began < max(self._idle, _REAL_WAIT)

    def _hinted_within(self, seconds: float) -> bool:
        deadline = monotonic() + seconds
        while (left := deadline - monotonic()) > 0 and not self.service.stopping.is_set():
            if self._place.backend.wait(self._place.queues, timeout=min(timedelta(seconds=left), _SLICE)):
                return True
        return False
