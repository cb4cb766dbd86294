"""Keeping the leases of the jobs in hand, from a thread that no handler can hold up."""

import logging
from collections.abc import Callable
from time import monotonic

from ..context import Stop
from ..outcomes import Release
from ..records import Hold
from .flight import Flight
from .run import Run
from .service import Service
from .settler import Settler
from .workplace import Workplace

logger = logging.getLogger("tallystick.worker")

_LONGEST_TICK = 0.5


class Keeper:
    """Extends leases in batches, passes on what it learns (cancelled, lost), and ends what has taken too long."""

    def __init__(
        self, place: Workplace, flight: Flight, settler: Settler, interrupt: Callable[[Run, Stop], None]
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
        # an extension would wait for the transaction that completes the job, and with it those of all others
        self._extend([run for run in held if run.extend_at <= now and run.completion is None], now)

    def _give_back_waiting(self, now: float) -> None:
        """Release what was claimed ahead and found no handler by the time its lease is to be extended."""
        for run in [run for run in list(self._flight.waiting) if run.extend_at <= now]:
            if self._flight.begin(run):
                self._settler.finish(run, Release(run.claim))

    def _end_overdue(self, held: list[Run], now: float) -> None:
        """End attempts that ran past their timeout. Async ones end by themselves, so a later tick is soon enough."""
        for run in held:
            timeout = run.definition.options.timeout
            if timeout is None or run.started_at is None or run.stop is Stop.TIMED_OUT:
                continue
            if now - run.started_at > timeout.total_seconds() + run.definition.is_async * self._tick:
                self._interrupt(run, Stop.TIMED_OUT)

    def _extend(self, runs: list[Run], now: float) -> None:
        batch = self._place.batch
        for start in range(0, len(runs), batch):
            some = runs[start : start + batch]
            holds = self._place.backend.extend([run.claim for run in some], lease=self._place.settings.lease)
            for run, hold in zip(some, holds, strict=True):
                run.extend_at = now + self._place.extend_interval
                if hold is not Hold.HELD and run in self._flight.open and run.stop is None:
                    self._interrupt(run, Stop.LOST if hold is Hold.LOST else Stop.CANCELLED)
