"""Assemble the parts of a worker, start them in order, and stop them without losing a job."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic, sleep
from typing import Protocol

from ..contract.outcomes import Cancel, Complete, Discard, Release, Retry
from ..jobs.batch_definition import BatchDefinition
from ..jobs.context import Stop
from .async_executor import AsyncExecutor
from .attempt import Attempt
from .batcher import Batch, Batcher
from .execute import Ended, failed
from .fetcher import Fetcher
from .heartbeat import Heartbeat
from .in_flight import InFlight
from .losses import Losses
from .maintainer import Maintainer
from .meters import Meters
from .reporter import Reporter
from .scheduler import Scheduler
from .service import STOP_SECONDS
from .settler import Settler
from .snapshot import Snapshot
from .stuck import StuckHandlers
from .thread_executor import ThreadExecutor
from .watcher import Watcher
from .worker_context import WorkerContext

_POLL = 0.02
_STOPPING_GRACE = 1.0
"""Seconds for handlers to stop after they were asked to."""

_EXIT_SECONDS = 3.0
"""Seconds to record outcomes when the process ends without a stop."""


class Part(Protocol):
    """A part of the worker that can be started."""

    def start(self) -> None:
        """Start this part."""


class Worker:
    """Queues pass claimed jobs from the fetcher to the executors, and their outcomes to the settler."""

    def __init__(self, context: WorkerContext) -> None:
        settings = context.settings
        self._context = context
        self._in_flight = InFlight(context.slots, context.batch, context.slow_batch)
        self._losses = Losses(context)
        meters = Meters()
        self._settler = Settler(context, self._in_flight, self._losses, meters)
        self._stuck = StuckHandlers(settings.concurrency)
        self._threads = ThreadExecutor(
            context, self._in_flight, self._settler.finish, settings.concurrency, self._stuck
        )
        self._tasks = AsyncExecutor(context, self._in_flight, self._settler.finish, settings.concurrency, self._stuck)
        heartbeat = Heartbeat(context, self._in_flight, self._settler, self._losses, self._interrupt)
        watcher = Watcher(context, self._in_flight, heartbeat.service.wake)
        self._maintainer = Maintainer(context, heartbeat.extend_held)
        self._fetcher = Fetcher(context, self._in_flight, heartbeat.extend, self._dispatch, self._stuck)
        self._batcher = Batcher(context, self._put_batches)
        self._scheduler = Scheduler(context)
        self._reporter = Reporter(context, self._in_flight, meters)
        services = (
            self._maintainer.service,
            self._scheduler.service,
            heartbeat.service,
            watcher.service,
            self._reporter.service,
        )
        self._services = (*services, self._batcher.service)
        self._parts: tuple[Part, ...] = (
            *services,
            self._tasks,
            self._threads,
            self._settler,
        )

    def start(self) -> None:
        """Start claiming and running jobs. If a part fails to start, stop those that did."""
        try:
            for part in self._parts:
                part.start()
            self._threads.fetch(self._fetcher)
        except BaseException:
            self._stop_parts()
            raise

    def stop(self, grace: timedelta, hurried: Callable[[], bool]) -> int:
        """Stop claiming, let jobs finish for `grace` or until `hurried`, release the rest, and record all outcomes.

        Takes at most 12 seconds longer than the grace period, even if the store does not respond.

        Returns:
            How many outcomes were not recorded.
        """
        end = monotonic() + grace.total_seconds()
        unrecorded = self._settler.unrecorded
        self._fetcher.begin_stop()
        self._in_flight.rest.end()  # the fetcher may not do it any more
        self._reporter.drain()
        self._release(list(self._in_flight.waiting))
        try:
            _wait_while(lambda: bool(self._in_flight.open), end, hurried)
        except BaseException:  # an interrupt ends the grace
            end = monotonic()
            raise
        finally:
            self._stuck.report_left(self._interrupt_open())
            last = max(end, monotonic() + _STOPPING_GRACE)
            _wait_while(lambda: bool(self._in_flight.held) or self._fetcher.running, last, hurried)
            self._stop_parts()
        # in this order, an outcome that moves from one count to the other is counted twice rather than not at all
        return len(self._in_flight.held) + self._settler.unrecorded - unrecorded

    def _stop_parts(self) -> None:
        """Stop all parts. The parts that use the store share one time limit, since each may have to wait for it."""
        end = monotonic() + STOP_SECONDS
        self._settler.give_up()
        self._fetcher.stop(end - monotonic())
        self._settler.stop(end - monotonic())
        for service in self._services:
            service.begin_stop()
        for service in self._services:
            service.stop(end - monotonic())
        self._threads.stop()
        if self._context.children is not None:
            self._context.children.stop()
        self._tasks.stop()

    def release_at_exit(self) -> tuple[int, int]:
        """Release held jobs when the process ends without stopping this worker. Joins no thread.

        Returns:
            How many jobs the worker held, and how many of them could not be released in a few seconds.
        """
        self._fetcher.stop(_STOPPING_GRACE)
        held = len(self._in_flight.held)
        self._release(list(self._in_flight.waiting))
        self._stuck.report_left(self._interrupt_open())
        _wait_while(lambda: bool(self._in_flight.held), monotonic() + _EXIT_SECONDS)
        return held, len(self._in_flight.held)

    def _interrupt_open(self) -> set[Attempt]:
        """Ask handlers to stop, release the jobs of those that do not, and return these attempts."""
        for attempt in list(self._in_flight.open):
            self._interrupt(attempt, Stop.SHUTDOWN)
        _wait_while(lambda: bool(self._in_flight.open), monotonic() + _STOPPING_GRACE)
        return {
            attempt
            for attempt in list(self._in_flight.open)
            if self._settler.finish(Ended(attempt, Release(attempt.claim)))
        }

    def look_at_schedules(self) -> None:
        """Read the schedules now, because one has changed."""
        self._scheduler.look()

    def snapshot(self) -> Snapshot:
        """Return the numbers of this worker."""
        held, open, waiting = len(self._in_flight.held), len(self._in_flight.open), len(self._in_flight.waiting)
        by_handlers, by_rescues = self._settler.counts, self._maintainer.counts
        return Snapshot(
            running=True,
            waiting=waiting,
            working=max(0, open - waiting),
            unsettled=max(0, held - open),
            stuck=len(self._stuck),
            blocked=self._stuck.too_many,
            put_off=self._context.put_off.total,
            completed=by_handlers[Complete],
            retried=by_handlers[Retry] + by_rescues[Retry],
            discarded=by_handlers[Discard] + by_rescues[Discard],
            released=by_handlers[Release],
            cancelled=by_handlers[Cancel] + by_rescues[Cancel],
            lost=self._losses.count,
            rescued=self._maintainer.rescued,
        )

    def _release(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            if self._in_flight.begin(attempt):
                self._settler.finish(Ended(attempt, Release(attempt.claim)))

    def _dispatch(self, attempts: Sequence[Attempt]) -> Attempt | None:
        """Pass attempts to the executors, but for one that the calling thread should run itself."""
        if self._fetcher.stopping:
            self._release(attempts)
            return None
        if self._context.has_batches:
            attempts = self._put_batched(attempts)
        if len(attempts) == 1 and self._is_alone(attempts[0]):
            return attempts[0]
        self._threads.put([attempt for attempt in attempts if not attempt.definition.is_async])
        self._tasks.put([attempt for attempt in attempts if attempt.definition.is_async])
        return None

    def _is_alone(self, attempt: Attempt) -> bool:
        """Whether no other sync attempt waits, and another thread is free to run the fetcher."""
        return (
            not attempt.definition.is_async
            and len(self._in_flight.waiting) == 1
            and len(self._in_flight.open) <= self._context.settings.concurrency
            and not self._stuck
        )

    def _put_batched(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Collect the attempts of batch kinds, and return the others."""
        others = [attempt for attempt in attempts if not isinstance(attempt.definition, BatchDefinition)]
        if len(others) < len(attempts):
            self._batcher.put(attempt for attempt in attempts if isinstance(attempt.definition, BatchDefinition))
        return others

    def _put_batches(self, batches: Sequence[Batch]) -> None:
        self._threads.put(batch for batch in batches if not batch.definition.is_async)
        self._tasks.put([batch for batch in batches if batch.definition.is_async])

    def _interrupt(self, attempt: Attempt, why: Stop) -> None:
        """Ask a handler to stop. Cancels a task. Abandons a handler that exceeded its timeout.

        The task of a batch is cancelled when all its jobs have been asked to stop.
        """
        attempt.stop = why
        if attempt.definition.is_async and all(other.stop is not None for other in _in_one_call(attempt)):
            self._tasks.cancel(attempt)
        if why is Stop.TIMED_OUT:
            self._end_overdue(attempt)

    def _end_overdue(self, attempt: Attempt) -> None:
        error = TimeoutError(f"the handler did not return within {attempt.timeout}")
        ended = failed(attempt, error)
        if _in_one_call(attempt)[0] is not attempt:  # the first of a batch stands for its handler
            self._settler.finish(ended)
            return
        # add it before its attempt ends, so that a handler that returns just then is found
        replaced = self._stuck.add(attempt)
        if not self._settler.finish(ended):
            self._stuck.remove(attempt)
        elif replaced:
            (self._tasks if attempt.definition.is_async else self._threads).replace()


def _in_one_call(attempt: Attempt) -> list[Attempt]:
    return getattr(attempt, "batch", [attempt])


def _wait_while(condition: Callable[[], bool], deadline: float, hurried: Callable[[], bool] = lambda: False) -> None:
    while condition() and monotonic() < deadline and not hurried():
        sleep(_POLL)
