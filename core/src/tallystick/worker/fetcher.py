"""Claiming jobs while there is room for them, and handing them to those who work them."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from time import monotonic

from . import clock
from .flight import Flight
from .run import Run
from .service import Service
from .stuck import StuckHandlers
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

    def __init__(
        self,
        place: Workplace,
        flight: Flight,
        extend: Callable[[Sequence[Run]], None],
        hand_out: Callable[[Sequence[Run]], None],
        stuck: StuckHandlers,
    ) -> None:
        self.service = Service("fetcher", self._step, place.current)
        self._place = place
        self._flight = flight
        self._extend = extend
        self._hand_out = hand_out
        self._stuck = stuck
        self._idle = _SHORTEST_IDLE
        self._hinted_at_once = False

    def _step(self) -> None:
        self._flight.freed.clear()
        room = self._flight.room()
        if self._stuck.hold_claims() or not room:
            self._flight.freed.wait(_ROOM_WAIT)
            return
        began = clock.seconds()
        runs = self._claim(room, began)
        if runs:
            self._start(runs, late=clock.seconds() - began > self._place.half_lease)
            self._hinted_at_once = False
        else:
            self._wait()

    def _claim(self, room: int, began: float) -> Sequence[Run]:
        """Claim jobs and take them in hand. Nothing may raise in between: they would wait for their leases to end."""
        settings, known = self._place.settings, self._place.definitions
        limit = min(room, self._place.batch)
        self._flight.claiming_since = began
        try:
            records = self._place.backend.claim(
                self._place.queues, limit=limit, worker=settings.worker, lease=settings.lease
            )
            extend_at = clock.seconds() + self._place.extend_interval
            runs = [
                Run(self._place, r, known.get(r.kind, UNKNOWN) if isinstance(r.kind, str) else UNKNOWN, extend_at)
                for r in records
            ]
            self._flight.take(runs)
        finally:
            self._flight.claiming_since = None
        return runs

    def _start(self, runs: Sequence[Run], *, late: bool) -> None:
        """Hand out claimed jobs; where the claim's answer came `late`, only after their leases are extended."""
        with ExitStack() as always:
            always.callback(self._hand_out, runs)
            always.callback(self._place.observers.claimed, [run.record for run in runs])
            if late:
                self._extend(runs)

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
