"""Keeping the leases of the jobs in hand, from a thread that no handler can hold up."""

import logging
from collections.abc import Callable
from time import monotonic

from ..context import Context, Stop
from ..outcomes import Release
from ..records import Hold
from .flight import Flight
from .service import Service
from .settler import Settler
from .workplace import Workplace

logger = logging.getLogger("windlass.worker")

_LONGEST_TICK = 0.5


class Keeper:
    """Extends leases in batches, passes on what it learns (cancelled, lost), and ends what has taken too long."""

    def __init__(
        self, place: Workplace, flight: Flight, settler: Settler, interrupt: Callable[[Context, Stop], None]
    ) -> None:
        self.service = Service("keeper", self._step, longest_pause=place.extend_interval)
        self._place = place
        self._flight = flight
        self._settler = settler
        self._interrupt = interrupt
        self._tick = min(place.extend_interval / 2, _LONGEST_TICK)

    def _step(self) -> None:
        self.service.stopping.wait(self._tick)
        now = monotonic()
        held = list(self._flight.held)
        self._give_back_waiting(now)
        self._end_overdue(held, now)
        self._extend([ctx for ctx in held if ctx.extend_at <= now], now)

    def _give_back_waiting(self, now: float) -> None:
        """Release what was claimed ahead and found no handler by the time its lease is to be extended."""
        for ctx in [ctx for ctx in list(self._flight.waiting) if ctx.extend_at <= now]:
            if self._flight.begin(ctx):
                self._settler.finish(ctx, Release(ctx.claim))

    def _end_overdue(self, held: list[Context], now: float) -> None:
        """End attempts that ran past their timeout. Async ones end by themselves, so a later tick is soon enough."""
        for ctx in held:
            timeout = ctx.definition.options.timeout
            if timeout is None or ctx.started_at is None or ctx.stop is Stop.TIMED_OUT:
                continue
            if now - ctx.started_at > timeout.total_seconds() + ctx.definition.is_async * self._tick:
                self._interrupt(ctx, Stop.TIMED_OUT)

    def _extend(self, contexts: list[Context], now: float) -> None:
        batch = self._place.batch
        for start in range(0, len(contexts), batch):
            some = contexts[start : start + batch]
            holds = self._place.backend.extend([ctx.claim for ctx in some], lease=self._place.settings.lease)
            for ctx, hold in zip(some, holds, strict=True):
                ctx.extend_at = now + self._place.extend_interval
                if hold is not Hold.HELD and ctx in self._flight.open and ctx.stop is None:
                    self._interrupt(ctx, Stop.LOST if hold is Hold.LOST else Stop.CANCELLED)
