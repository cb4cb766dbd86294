"""Notice within a second that a running job was cancelled or lost, and store the progress of running jobs."""

from collections.abc import Callable
from time import monotonic

from ..contract.records import Record
from ..contract.state import State
from . import clock
from .attempt import Attempt
from .in_flight import InFlight
from .service import Service
from .worker_context import WorkerContext

_INTERVAL = 0.4
"""Seconds between two looks. A handler that started since the previous look is not looked at, so short ones are free.

A cancellation right after a start is found by the second look, so two intervals must be less than a second.
"""

_PROGRESS_INTERVAL = 1.0
"""The shortest time from one write of progress to the next, in seconds."""


class Watcher:
    """Reads the jobs of running handlers. If one has changed, the heartbeat extends its lease now, and learns why.

    A look is a read by id. Extending each lease every second instead would be a write.
    """

    def __init__(self, context: WorkerContext, in_flight: InFlight, wake_heartbeat: Callable[[], None]) -> None:
        self.service = Service("watcher", self._step, context.current)
        self._context = context
        self._in_flight = in_flight
        self._wake_heartbeat = wake_heartbeat
        self._progress_at = monotonic()

    def _step(self) -> None:
        self._in_flight.rest.pause(self.service, _INTERVAL, at_rest=self._context.extend_interval)
        self._look_at_running()
        if monotonic() >= self._progress_at:
            self._progress_at = monotonic() + _PROGRESS_INTERVAL
            self._context.reports.store(self._context.backend, self._context.batch)

    def _look_at_running(self) -> None:
        running = self._running()
        for start in range(0, len(running), self._context.batch):
            self._look(running[start : start + self._context.batch])

    def _running(self) -> list[Attempt]:
        """Return the attempts whose handlers run since before the previous look, and have no reason to stop yet."""
        latest = monotonic() - _INTERVAL
        return [
            attempt
            for attempt in list(self._in_flight.open)
            if attempt.started_at is not None
            and attempt.started_at <= latest
            and attempt.stop is None
            and attempt.completion is None
        ]

    def _look(self, attempts: list[Attempt]) -> None:
        records = self._context.backend.get([attempt.id for attempt in attempts])
        changed = [attempt for attempt in attempts if not _is_held(attempt, records.get(attempt.id))]
        for attempt in changed:
            attempt.extend_at = min(attempt.extend_at, clock.seconds())
        if changed:
            self._wake_heartbeat()


def _is_held(attempt: Attempt, record: Record | None) -> bool:
    return (
        record is not None
        and record.state is State.RUNNING
        and record.attempt == attempt.claim.attempt
        and not record.cancel_requested
    )
