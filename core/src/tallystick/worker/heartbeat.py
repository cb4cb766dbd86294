"""Extend the leases of claimed jobs, in a thread that no handler can block."""

from collections.abc import Callable, Sequence
from math import inf
from time import monotonic
from typing import assert_never

from ..contract.outcomes import Cancel, Outcome, Release
from ..contract.records import Hold
from ..errors import BackendError
from ..jobs.context import Stop, log_fields
from ..messages.safe_logging import safe_logger
from ..messages.safe_repr import safe_repr
from . import clock
from .attempt import Attempt
from .execute import Ended
from .in_flight import InFlight
from .losses import Losses
from .service import Service
from .settler import Settler
from .worker_context import WorkerContext

logger = safe_logger("tallystick.worker")

_LONGEST_TICK = 0.5


class Heartbeat:
    """Extends leases in batches, stops attempts that were cancelled or lost, and ends attempts past their timeout."""

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
        self._tick_at_rest = context.extend_interval / 2
        self._tick = min(self._tick_at_rest, _LONGEST_TICK)

    def extend(self, attempts: Sequence[Attempt]) -> None:
        """Extend leases now, including expired ones that were not rescued."""
        for start in range(0, len(attempts), self._context.batch):
            batch = attempts[start : start + self._context.batch]
            self._apply(batch, self._holds(batch))

    def extend_held(self) -> bool:
        """Extend the lease of every claimed job; return whether at least half of each lease is certainly left.

        A worker calls this right before it rescues jobs, since it may have been suspended for longer than a lease. A
        suspension during this call, or during a claim that has not returned yet, makes the result False.
        """
        began = clock.seconds()
        self.extend([attempt for attempt in self._extendable() if attempt.extend_at < inf])
        since = self._in_flight.claiming_since
        return clock.seconds() - (began if since is None else min(began, since)) < self._context.half_lease

    def _step(self) -> None:
        began = clock.seconds()
        self._in_flight.rest.pause(self.service, self._tick, at_rest=self._tick_at_rest)
        now = clock.seconds()
        if now - began < self._context.extend_interval:  # otherwise a suspension left handlers no time to start
            self._release_waiting(now)
        self._end_overdue(monotonic())
        due = [attempt for attempt in self._extendable() if attempt.extend_at <= now]
        self.extend(due)
        for attempt in due:
            attempt.extend_at = max(attempt.extend_at, now + self._context.extend_interval)  # stays infinite if lost

    def _extendable(self) -> list[Attempt]:
        # an extension would wait for the transaction that completes the job, and delay the whole batch
        return [attempt for attempt in list(self._in_flight.held) if attempt.completion is None]

    def _release_waiting(self, now: float) -> None:
        """Release jobs that were claimed ahead and still have no handler when their lease must be extended."""
        for attempt in [attempt for attempt in list(self._in_flight.waiting) if attempt.extend_at <= now]:
            if self._in_flight.begin(attempt):
                self._settler.finish(Ended(attempt, Release(attempt.claim)))

    def _end_overdue(self, now: float) -> None:
        """End attempts past their timeout. Async attempts end by themselves first, so they get one more tick."""
        for attempt in list(self._in_flight.held):
            timeout = attempt.timeout
            if timeout is None or attempt.started_at is None or attempt.stop is Stop.TIMED_OUT:
                continue
            if now - attempt.started_at > timeout.total_seconds() + attempt.definition.is_async * self._tick:
                self._interrupt(attempt, Stop.TIMED_OUT)

    def _holds(self, attempts: Sequence[Attempt]) -> Sequence[Hold]:
        """Extend a batch. If the store rejects it, extend each claim alone, in case only one record is bad."""
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
                "could not extend the lease of job %s: %s",
                attempt.id,
                safe_repr(exc),
                extra=log_fields(attempt.record),
            )
            return [Hold.HELD]

    def _apply(self, attempts: Sequence[Attempt], holds: Sequence[Hold]) -> None:
        lost = []
        for attempt, hold in zip(attempts, holds, strict=True):
            match hold:
                case Hold.HELD:
                    pass
                case Hold.CANCEL_REQUESTED:
                    self._end_or_stop(attempt, Cancel(attempt.claim), Stop.CANCELLED)
                case Hold.LOST:
                    attempt.extend_at = inf
                    # the store rejects the release of a lost claim
                    if self._end_or_stop(attempt, Release(attempt.claim), Stop.LOST):
                        lost.append(attempt)
                case _:
                    assert_never(hold)
        if lost:
            self._losses.report(lost)

    def _end_or_stop(self, attempt: Attempt, outcome: Outcome, why: Stop) -> bool:
        """End an attempt whose handler has not started, or ask its handler to stop. Return whether it still runs."""
        if self._in_flight.begin(attempt):
            self._settler.finish(Ended(attempt, outcome))
            return False
        if attempt not in self._in_flight.open or attempt.completion is not None:
            return False
        if attempt.stop is None:
            self._interrupt(attempt, why)
        return True
