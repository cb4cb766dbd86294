"""Keeping the leases of the jobs in hand, from a thread that waits for no handler."""

from collections.abc import Callable, Sequence
from math import inf
from time import monotonic

from ..context import Stop, log_fields
from ..errors import BackendError
from ..outcomes import Cancel, Release
from ..records import Hold
from ..safe_logging import safe_logger
from ..saferepr import safe_repr
from . import clock
from .flight import Flight
from .losses import Losses
from .run import Run
from .service import Service
from .settler import Settler
from .workplace import Workplace

logger = safe_logger("tallystick.worker")

_LONGEST_TICK = 0.5


class Keeper:
    """Extends leases in batches, passes on what it learns (cancelled, lost), and ends what has taken too long."""

    def __init__(
        self,
        place: Workplace,
        flight: Flight,
        settler: Settler,
        losses: Losses,
        interrupt: Callable[[Run, Stop], None],
    ) -> None:
        self.service = Service("keeper", self._step, place.current, longest_pause=place.extend_interval)
        self._place = place
        self._flight = flight
        self._settler = settler
        self._losses = losses
        self._interrupt = interrupt
        self._tick = min(place.extend_interval / 2, _LONGEST_TICK)

    def extend(self, runs: Sequence[Run]) -> None:
        """Extend leases now, also those that ran out and were not rescued."""
        for start in range(0, len(runs), self._place.batch):
            batch = runs[start : start + self._place.batch]
            self._learn(batch, self._holds(batch))

    def extend_held(self) -> bool:
        """Extend the lease of every job in hand; say whether half of each lease is certainly left.

        A worker does so right before it rescues, since it may have been suspended for longer than a lease. That may
        also happen in this call, or in a claim whose answer is not there yet; then the answer is False.
        """
        began = clock.seconds()
        self.extend([run for run in self._extendable() if run.extend_at < inf])
        since = self._flight.claiming_since
        return clock.seconds() - (began if since is None else min(began, since)) < self._place.half_lease

    def _step(self) -> None:
        began = clock.seconds()
        self.service.stopping.wait(self._tick)
        now = clock.seconds()
        if now - began < self._place.extend_interval:  # else handlers, too, may have had no time to begin
            self._give_back_waiting(now)
        self._end_overdue(monotonic())
        due = [run for run in self._extendable() if run.extend_at <= now]
        self.extend(due)
        for run in due:
            run.extend_at = max(run.extend_at, now + self._place.extend_interval)  # a lost one stays at infinity

    def _extendable(self) -> list[Run]:
        # an extension would wait for the transaction that completes the job, and with it those of all others
        return [run for run in list(self._flight.held) if run.completion is None]

    def _give_back_waiting(self, now: float) -> None:
        """Release what was claimed ahead and found no handler by the time its lease is to be extended."""
        for run in [run for run in list(self._flight.waiting) if run.extend_at <= now]:
            if self._flight.begin(run):
                self._settler.finish(run, Release(run.claim))

    def _end_overdue(self, now: float) -> None:
        """End attempts that ran past their timeout. Async ones end by themselves, so a later tick is soon enough."""
        for run in list(self._flight.held):
            timeout = run.definition.options.timeout
            if timeout is None or run.started_at is None or run.stop is Stop.TIMED_OUT:
                continue
            if now - run.started_at > timeout.total_seconds() + run.definition.is_async * self._tick:
                self._interrupt(run, Stop.TIMED_OUT)

    def _holds(self, runs: Sequence[Run]) -> Sequence[Hold]:
        """Extend a batch; where the store refuses it, each alone, so that one bad record costs no other its lease."""
        try:
            return self._place.backend.extend([run.claim for run in runs], lease=self._place.settings.lease)
        except BackendError:
            raise
        except Exception as exc:
            if len(runs) > 1:
                return [hold for run in runs for hold in self._holds([run])]
            [run] = runs
            logger.warning(
                "job %s: its lease could not be extended: %s", run.id, safe_repr(exc), extra=log_fields(run.record)
            )
            return [Hold.HELD]

    def _learn(self, runs: Sequence[Run], holds: Sequence[Hold]) -> None:
        lost = []
        for run, hold in zip(runs, holds, strict=True):
            if hold is Hold.HELD:
                continue
            if hold is Hold.LOST:
                run.extend_at = inf
            if self._flight.begin(run):  # it found no handler yet, and needs none; the store refuses what was lost
                self._settler.finish(run, Release(run.claim) if hold is Hold.LOST else Cancel(run.claim))
            elif run in self._flight.open and run.completion is None:
                if run.stop is None:
                    self._interrupt(run, Stop.LOST if hold is Hold.LOST else Stop.CANCELLED)
                if hold is Hold.LOST:
                    lost.append(run)
        if lost:
            self._losses.report(lost)
