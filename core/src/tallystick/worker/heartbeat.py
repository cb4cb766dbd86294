"""Keeping the leases of the jobs in hand, from a thread that waits for no handler."""

from collections.abc import Callable, Sequence
from math import inf
from time import monotonic

from ..context import Stop, log_fields
from ..errors import BackendError
from ..outcomes import Cancel, Release
from ..records import Hold
from ..safe_logging import safe_logger
from ..safe_repr import safe_repr
from . import clock
from .attempt import Attempt
from .in_flight import InFlight
from .losses import Losses
from .service import Service
from .settler import Settler
from .worker_context import WorkerContext

logger = safe_logger("tallystick.worker")

_LONGEST_TICK = 0.5


class Heartbeat:
    """Extends leases in batches, passes on what it learns (cancelled, lost), and ends what has taken too long."""

    def __init__(
        self,
        context: WorkerContext,
        in_flight: InFlight,
        settler: Settler,
        losses: Losses,
        interrupt: Callable[[Attempt, Stop], None],
    ) -> None:
        self.service = Service("heartbeat", self._step, context.current, longest_pause=context.extend_interval)
        self._context = context
        self._in_flight = in_flight
        self._settler = settler
        self._losses = losses
        self._interrupt = interrupt
        self._tick = min(context.extend_interval / 2, _LONGEST_TICK)

    def extend(self, attempts: Sequence[Attempt]) -> None:
        """Extend leases now, also those that ran out and were not rescued."""
        for start in range(0, len(attempts), self._context.batch):
            batch = attempts[start : start + self._context.batch]
            self._learn(batch, self._holds(batch))

    def extend_held(self) -> bool:
        """Extend the lease of every job in hand; say whether half of each lease is certainly left.

        A worker does so right before it rescues, since it may have been suspended for longer than a lease. That may
        also happen in this call, or in a claim whose answer is not there yet; then the answer is False.
        """
        began = clock.seconds()
        self.extend([attempt for attempt in self._extendable() if attempt.extend_at < inf])
        since = self._in_flight.claiming_since
        return clock.seconds() - (began if since is None else min(began, since)) < self._context.half_lease

    def _step(self) -> None:
        began = clock.seconds()
        self.service.stopping.wait(self._tick)
        now = clock.seconds()
        if now - began < self._context.extend_interval:  # else handlers, too, may have had no time to begin
            self._give_back_waiting(now)
        self._end_overdue(monotonic())
        due = [attempt for attempt in self._extendable() if attempt.extend_at <= now]
        self.extend(due)
        for attempt in due:
            attempt.extend_at = max(
                attempt.extend_at, now + self._context.extend_interval
            )  # a lost one stays at infinity

    def _extendable(self) -> list[Attempt]:
        # an extension would wait for the transaction that completes the job, and with it those of all others
        return [attempt for attempt in list(self._in_flight.held) if attempt.completion is None]

    def _give_back_waiting(self, now: float) -> None:
        """Release what was claimed ahead and found no handler by the time its lease is to be extended."""
        for attempt in [attempt for attempt in list(self._in_flight.waiting) if attempt.extend_at <= now]:
            if self._in_flight.begin(attempt):
                self._settler.finish(attempt, Release(attempt.claim))

    def _end_overdue(self, now: float) -> None:
        """End attempts that ran past their timeout. Async ones end by themselves, so a later tick is soon enough."""
        for attempt in list(self._in_flight.held):
            timeout = attempt.definition.options.timeout
            if timeout is None or attempt.started_at is None or attempt.stop is Stop.TIMED_OUT:
                continue
            if now - attempt.started_at > timeout.total_seconds() + attempt.definition.is_async * self._tick:
                self._interrupt(attempt, Stop.TIMED_OUT)

    def _holds(self, attempts: Sequence[Attempt]) -> Sequence[Hold]:
        """Extend a batch; where the store refuses it, each alone, so that one bad record costs no other its lease."""
        try:
            return self._context.backend.extend(
                [attempt.claim for attempt in attempts], lease=self._context.settings.lease
            )
        except BackendError:
            raise
        except Exception as exc:
            if len(attempts) > 1:
                return [hold for attempt in attempts for hold in self._holds([attempt])]
            [attempt] = attempts
            logger.warning(
                "job %s: its lease could not be extended: %s",
                attempt.id,
                safe_repr(exc),
                extra=log_fields(attempt.record),
            )
            return [Hold.HELD]

    def _learn(self, attempts: Sequence[Attempt], holds: Sequence[Hold]) -> None:
        lost = []
        for attempt, hold in zip(attempts, holds, strict=True):
            if hold is Hold.HELD:
                continue
            if hold is Hold.LOST:
                attempt.extend_at = inf
            if self._in_flight.begin(
                attempt
            ):  # it found no handler yet, and needs none; the store refuses what was lost
                self._settler.finish(attempt, Release(attempt.claim) if hold is Hold.LOST else Cancel(attempt.claim))
            elif attempt in self._in_flight.open and attempt.completion is None:
                if attempt.stop is None:
                    self._interrupt(attempt, Stop.LOST if hold is Hold.LOST else Stop.CANCELLED)
                if hold is Hold.LOST:
                    lost.append(attempt)
        if lost:
            self._losses.report(lost)
