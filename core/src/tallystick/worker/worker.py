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
    """What is started and stopped."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End, also if it never began."""


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
        self._parts: tuple[Part, ...] = (
            self._maintainer.service,
            keeper.service,
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
            for part in reversed(self._parts):
                part.stop()
            raise

    def stop(self, grace: timedelta, hurried: Callable[[], bool]) -> None:
        """Claim no more, let jobs finish for `grace` or until `hurried`, give back the rest, and settle all."""
        self._fetcher.service.stop()
        self._release_waiting()
        seconds = grace.total_seconds()
        _wait_while(lambda: bool(self._flight.open), seconds, hurried)
        self._stuck.report_left(self._interrupt_open())
        _wait_while(lambda: bool(self._flight.held), max(seconds, _STOPPING_GRACE), hurried)
        for part in reversed(self._parts):
            part.stop()

    def leave(self) -> tuple[int, int]:
        """Release what is in hand, at the end of a process that did not stop this worker; join no thread.

        Returns:
            How many jobs there were, and how many of them could not be recorded in a few seconds.
        """
        self._fetcher.service.stop(timeout=_STOPPING_GRACE)
        in_hand = len(self._flight.held)
        self._release_waiting()
        self._stuck.report_left(self._interrupt_open())
        _wait_while(lambda: bool(self._flight.held), _LEAVING_SECONDS)
        return in_hand, len(self._flight.held)

    def _release_waiting(self) -> None:
        for run in list(self._flight.waiting):
            if self._flight.begin(run):
                self._settler.finish(run, Release(run.claim))

    def _interrupt_open(self) -> set[Run]:
        """Tell handlers to stop, release the jobs of those that do not, and return these."""
        for run in list(self._flight.open):
            self._interrupt(run, Stop.SHUTDOWN)
        _wait_while(lambda: bool(self._flight.open), _STOPPING_GRACE)
        return {run for run in list(self._flight.open) if self._settler.finish(run, Release(run.claim))}

    def snapshot(self) -> Snapshot:
        """Return the worker in numbers."""
        held, open, waiting = len(self._flight.held), len(self._flight.open), len(self._flight.waiting)
        counts = self._settler.counts + self._maintainer.counts
        return Snapshot(
            running=True,
            waiting=waiting,
            working=max(0, open - waiting),
            unsettled=max(0, held - open),
            stuck=len(self._stuck),
            blocked=self._stuck.too_many,
            put_off=self._place.put_off.total,
            completed=counts[Complete],
            retried=counts[Retry],
            discarded=counts[Discard],
            released=counts[Release],
            cancelled=counts[Cancel],
            lost=self._losses.count,
            rescued=self._maintainer.rescued,
        )

    def _hand_out(self, runs: Sequence[Run]) -> None:
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
        outcome = failed(run, error)
        replaced = self._stuck.add(
            run
        )  # before its attempt ends, so that a handler that returns then finds itself here
        if not self._settler.finish(run, outcome):
            self._stuck.remove(run)
        elif replaced:
            (self._tasks if run.definition.is_async else self._threads).replace()


def _wait_while(condition: Callable[[], bool], seconds: float, hurried: Callable[[], bool] = lambda: False) -> None:
    deadline = monotonic() + seconds
    while condition() and monotonic() < deadline and not hurried():
        sleep(_POLL)
