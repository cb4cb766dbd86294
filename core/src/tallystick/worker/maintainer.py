"""Rescue jobs of dead workers, and purge old records."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from random import random
from typing import assert_never

from ..contract.failure import LEASE_EXPIRED
from ..contract.outcomes import Cancel, Discard, Outcome, Retry
from ..contract.records import Record
from ..contract.state import State
from ..jobs.context import log_fields
from ..messages.safe_logging import safe_logger
from .retention import Retention
from .service import Service
from .worker_context import WorkerContext

logger = safe_logger("tallystick.worker")

_LIMIT = 1_000

_SHORTEST_PAUSE = 0.05


class Maintainer:
    """Rescues and purges at every interval. Every worker has one; the store lets only one of them rescue a given job.

    `extend_held` extends the worker's own leases and returns whether they are fresh.
    """

    def __init__(self, context: WorkerContext, extend_held: Callable[[], bool]) -> None:
        self.service = Service("maintainer", self._step, context.current)
        self.rescued = 0
        self.counts: Counter[type[Outcome]] = Counter()
        self._context = context
        self._extend_held = extend_held
        self._retention = Retention(context, _LIMIT)

    def _step(self) -> None:
        try:
            self._until_done(self._rescue)
        finally:
            self._retention.purge(self._until_done)
        # randomized, so that workers that started together do not always rescue together
        self.service.stopping.wait(self._context.settings.maintenance.total_seconds() * (0.5 + random()))

    def _until_done(self, some: Callable[[], int]) -> bool:
        """Repeat a call until it has nothing left to do. Return False if a stop came first."""
        while not self.service.stopping.is_set():
            if some() < _LIMIT:
                return True
        return False

    def _rescue(self) -> int:
        """Rescue expired jobs. First extend this worker's leases, which may have expired during a suspension."""
        while not self._extend_held():
            if self.service.stopping.wait(max(self._context.extend_interval / 10, _SHORTEST_PAUSE)):
                return 0
        rescued = self._context.backend.rescue(limit=_LIMIT)
        self.rescued += len(rescued)
        for record in rescued:
            logger.log(
                logging.ERROR if record.state is State.DISCARDED else logging.WARNING,
                "job %s rescued from worker %s: now %s",
                record.id,
                record.worker,
                record.state,
                extra=log_fields(record),
            )
        self._report_ended(rescued)
        return len(rescued)

    def _report_ended(self, rescued: Sequence[Record]) -> None:
        """Report the attempts that a rescue ended, like those that end in a handler."""
        ended = [(outcome, record) for record in rescued if (outcome := _outcome(record)) is not None]
        if ended:
            outcomes = [outcome for outcome, _ in ended]
            self.counts.update(map(type, outcomes))
            self._context.observers.settled(outcomes, [record for _, record in ended])


def _outcome(record: Record) -> Outcome | None:
    """Return the outcome of the attempt that a rescue ended; None if another call has changed the job since."""
    match record.state:
        case State.DISCARDED:
            return Discard(record.claim, record.last_error or LEASE_EXPIRED)
        case State.CANCELLED:
            return Cancel(record.claim)
        case State.RETRYING:
            return Retry(record.claim, record.run_at, record.last_error or LEASE_EXPIRED)
        case State.PENDING | State.RUNNING | State.COMPLETED:
            return None
        case _:
            assert_never(record.state)
