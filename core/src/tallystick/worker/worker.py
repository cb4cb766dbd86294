"""The parts of a worker, put together: started in order, and stopped without losing a job."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic, sleep
from typing import Protocol

from ..context import Stop
from ..outcomes import Cancel, Complete, Discard, Release, Retry
from .async_executor import AsyncExecutor
from .attempt import Attempt
from .execute import failed
from .fetcher import Fetcher
from .heartbeat import Heartbeat
from .in_flight import InFlight
from .losses import Losses
from .maintainer import Maintainer
from .service import STOP_SECONDS
from .settler import Settler
from .snapshot import Snapshot
from .stuck import StuckHandlers
from .thread_executor import ThreadExecutor
from .worker_context import WorkerContext

_POLL = 0.02
_STOPPING_GRACE = 1.0
"""Seconds for handlers that were told to stop to do so."""

_LEAVING_SECONDS = 3.0
"""Seconds to record what was in hand when a process ends without a stop."""


class Part(Protocol):
    """What is started."""

    def start(self) -> None:
        """Begin."""


class Worker:
    """Claimed jobs go from the fetcher to threads or tasks, and their outcomes to the settler; all by queues."""

    def __init__(self, context: WorkerContext) -> None:
        settings = context.settings
        self._context = context
        self._in_flight = InFlight(context.slots, context.batch)
        self._losses = Losses(context)
        self._settler = Settler(context, self._in_flight, self._losses)
        self._stuck = StuckHandlers(settings.concurrency)
        self._threads = ThreadExecutor(
            context, self._in_flight, self._settler.finish, settings.concurrency, self._stuck
        )
        self._tasks = AsyncExecutor(context, self._in_flight, self._settler.finish, settings.concurrency, self._stuck)
        heartbeat = Heartbeat(context, self._in_flight, self._settler, self._losses, self._interrupt)
        self._maintainer = Maintainer(context, heartbeat.extend_held)
        self._fetcher = Fetcher(context, self._in_flight, heartbeat.extend, self._hand_out, self._stuck)
        self._services = (self._maintainer.service, heartbeat.service)
        self._parts: tuple[Part, ...] = (
            *self._services,
            self._tasks,
            self._threads,
            self._settler,
            self._fetcher.service,
        )

    def start(self) -> None:
        """Begin to claim and work; if that fails half-way, leave nothing behind."""
        try:
            for part in self._parts:
                part.start()
        except BaseException:
            self._stop_parts()
            raise

    def stop(self, grace: timedelta, hurried: Callable[[], bool]) -> int:
        """Claim no more, let jobs finish for `grace` or until `hurried`, give back the rest, and settle all.

        It takes at most 12 seconds longer than the grace, also where the store does not answer.

        Returns:
            How many outcomes were not recorded.
        """
        end = monotonic() + grace.total_seconds()
        unrecorded = self._settler.unrecorded
        self._fetcher.service.stopping.set()
        self._give_back(list(self._in_flight.waiting))
        try:
            _wait_while(lambda: bool(self._in_flight.open), end, hurried)
        except BaseException:  # an interrupt ends the grace
            end = monotonic()
            raise
        finally:
            self._stuck.report_left(self._interrupt_open())
            last = max(end, monotonic() + _STOPPING_GRACE)
            _wait_while(lambda: bool(self._in_flight.held) or self._fetcher.service.running, last, hurried)
            self._stop_parts()
        # in this order: what is moved from one to the other in between is counted twice rather than not at all
        return len(self._in_flight.held) + self._settler.unrecorded - unrecorded

    def _stop_parts(self) -> None:
        """Stop all parts; those that use the store share one time limit, since each may have to wait for it."""
        end = monotonic() + STOP_SECONDS
        self._settler.give_up()
        self._fetcher.service.stop(end - monotonic())
        self._settler.stop(end - monotonic())
        for service in self._services:
            service.stopping.set()
        for service in self._services:
            service.stop(end - monotonic())
        self._threads.stop()
        self._tasks.stop()

    def leave(self) -> tuple[int, int]:
        """Release what is in hand, at the end of a process that did not stop this worker; join no thread.

        Returns:
            How many jobs there were, and how many of them could not be recorded in a few seconds.
        """
        self._fetcher.service.stop(_STOPPING_GRACE)
        in_hand = len(self._in_flight.held)
        self._give_back(list(self._in_flight.waiting))
        self._stuck.report_left(self._interrupt_open())
        _wait_while(lambda: bool(self._in_flight.held), monotonic() + _LEAVING_SECONDS)
        return in_hand, len(self._in_flight.held)

    def _interrupt_open(self) -> set[Attempt]:
        """Tell handlers to stop, release the jobs of those that do not, and return these."""
        for attempt in list(self._in_flight.open):
            self._interrupt(attempt, Stop.SHUTDOWN)
        _wait_while(lambda: bool(self._in_flight.open), monotonic() + _STOPPING_GRACE)
        return {
            attempt for attempt in list(self._in_flight.open) if self._settler.finish(attempt, Release(attempt.claim))
        }

    def snapshot(self) -> Snapshot:
        """Return the worker in numbers."""
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
            retried=by_handlers[Retry],
            discarded=by_handlers[Discard] + by_rescues[Discard],
            released=by_handlers[Release],
            cancelled=by_handlers[Cancel] + by_rescues[Cancel],
            lost=self._losses.count,
            rescued=self._maintainer.rescued,
        )

    def _give_back(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            if self._in_flight.begin(attempt):
                self._settler.finish(attempt, Release(attempt.claim))

    def _hand_out(self, attempts: Sequence[Attempt]) -> None:
        if self._fetcher.service.stopping.is_set():
            self._give_back(attempts)
            return
        self._threads.put([attempt for attempt in attempts if not attempt.definition.is_async])
        self._tasks.put([attempt for attempt in attempts if attempt.definition.is_async])

    def _interrupt(self, attempt: Attempt, why: Stop) -> None:
        """Tell a job to stop. A task is cancelled, a thread only told; whose time is up is given up if it goes on."""
        attempt.stop = why
        if attempt.definition.is_async:
            self._tasks.cancel(attempt)
        if why is Stop.TIMED_OUT:
            self._give_up(attempt)

    def _give_up(self, attempt: Attempt) -> None:
        error = TimeoutError(f"the handler did not return within {attempt.definition.options.timeout}")
        ended = failed(attempt, error)
        # before its attempt ends, so that a handler that returns just then is found here
        replaced = self._stuck.add(attempt)
        if not self._settler.finish(*ended):
            self._stuck.remove(attempt)
        elif replaced:
            (self._tasks if attempt.definition.is_async else self._threads).replace()


def _wait_while(condition: Callable[[], bool], deadline: float, hurried: Callable[[], bool] = lambda: False) -> None:
    while condition() and monotonic() < deadline and not hurried():
        sleep(_POLL)
