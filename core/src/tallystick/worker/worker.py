"""The parts of a worker, put together: started in order, and stopped without losing a job."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic, sleep
from typing import Protocol

from ..context import Stop
from ..outcomes import Cancel, Complete, Discard, Release, Retry
from .fetcher import Fetcher
from .flight import Flight
from .keeper import Keeper
from .losses import Losses
from .maintainer import Maintainer
from .perform import failed
from .run import Run
from .service import STOP_SECONDS
from .settler import Settler
from .snapshot import Snapshot
from .stuck import StuckHandlers
from .tasks import Tasks
from .threads import Threads
from .workplace import Workplace

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
    """Claimed jobs run from the fetcher to threads or tasks, and their outcomes to the settler; all by queues."""

    def __init__(self, place: Workplace) -> None:
        settings = place.settings
        self._place = place
        self._flight = Flight(place.places, place.batch)
        self._losses = Losses(place)
        self._settler = Settler(place, self._flight, self._losses)
        self._stuck = StuckHandlers(settings.concurrency)
        self._threads = Threads(place, self._flight, self._settler.finish, settings.concurrency, self._stuck)
        self._tasks = Tasks(place, self._flight, self._settler.finish, settings.concurrency, self._stuck)
        keeper = Keeper(place, self._flight, self._settler, self._losses, self._interrupt)
        self._maintainer = Maintainer(place, keeper.extend_held)
        self._fetcher = Fetcher(place, self._flight, keeper.extend, self._hand_out, self._stuck)
        self._services = (self._maintainer.service, keeper.service)
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
        self._give_back(list(self._flight.waiting))
        try:
            _wait_while(lambda: bool(self._flight.open), end, hurried)
        except BaseException:  # an interrupt ends the grace
            end = monotonic()
            raise
        finally:
            self._stuck.report_left(self._interrupt_open())
            last = max(end, monotonic() + _STOPPING_GRACE)
            _wait_while(lambda: bool(self._flight.held) or self._fetcher.service.running, last, hurried)
            self._stop_parts()
        # in this order: what is moved from one to the other in between is counted twice rather than not at all
        return len(self._flight.held) + self._settler.unrecorded - unrecorded

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
        in_hand = len(self._flight.held)
        self._give_back(list(self._flight.waiting))
        self._stuck.report_left(self._interrupt_open())
        _wait_while(lambda: bool(self._flight.held), monotonic() + _LEAVING_SECONDS)
        return in_hand, len(self._flight.held)

    def _interrupt_open(self) -> set[Run]:
        """Tell handlers to stop, release the jobs of those that do not, and return these."""
        for run in list(self._flight.open):
            self._interrupt(run, Stop.SHUTDOWN)
        _wait_while(lambda: bool(self._flight.open), monotonic() + _STOPPING_GRACE)
        return {run for run in list(self._flight.open) if self._settler.finish(run, Release(run.claim))}

    def snapshot(self) -> Snapshot:
        """Return the worker in numbers."""
        held, open, waiting = len(self._flight.held), len(self._flight.open), len(self._flight.waiting)
        by_handlers, by_rescues = self._settler.counts, self._maintainer.counts
        return Snapshot(
            running=True,
            waiting=waiting,
            working=max(0, open - waiting),
            unsettled=max(0, held - open),
            stuck=len(self._stuck),
            blocked=self._stuck.too_many,
            put_off=self._place.put_off.total,
            completed=by_handlers[Complete],
            retried=by_handlers[Retry],
            discarded=by_handlers[Discard] + by_rescues[Discard],
            released=by_handlers[Release],
            cancelled=by_handlers[Cancel] + by_rescues[Cancel],
            lost=self._losses.count,
            rescued=self._maintainer.rescued,
        )

    def _give_back(self, runs: Sequence[Run]) -> None:
        for run in runs:
            if self._flight.begin(run):
                self._settler.finish(run, Release(run.claim))

    def _hand_out(self, runs: Sequence[Run]) -> None:
        if self._fetcher.service.stopping.is_set():
            self._give_back(runs)
            return
        self._threads.put([run for run in runs if not run.definition.is_async])
        self._tasks.put([run for run in runs if run.definition.is_async])

    def _interrupt(self, run: Run, why: Stop) -> None:
        """Tell a job to stop. A task is cancelled, a thread only told; whose time is up is given up if it goes on."""
        run.stop = why
        if run.definition.is_async:
            self._tasks.cancel(run)
        if why is Stop.TIMED_OUT:
            self._give_up(run)

    def _give_up(self, run: Run) -> None:
        error = TimeoutError(f"the handler did not return within {run.definition.options.timeout}")
        ended = failed(run, error)
        # before its attempt ends, so that a handler that returns just then is found here
        replaced = self._stuck.add(run)
        if not self._settler.finish(*ended):
            self._stuck.remove(run)
        elif replaced:
            (self._tasks if run.definition.is_async else self._threads).replace()


def _wait_while(condition: Callable[[], bool], deadline: float, hurried: Callable[[], bool] = lambda: False) -> None:
    while condition() and monotonic() < deadline and not hurried():
        sleep(_POLL)
