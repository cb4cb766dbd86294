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
from .tasks import Tasks
from .threads import Threads
from .workplace import Workplace

_POLL = 0.02
_STOPPING_GRACE = 1.0
"""Seconds for handlers that were told to stop to do so."""


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
        self._flight = Flight(place.places, place.batch)
        self._losses = Losses(place)
        self._settler = Settler(place, self._flight, self._losses)
        self._threads = Threads(place, self._flight, self._settler.finish, settings.concurrency)
        self._tasks = Tasks(place, self._flight, self._settler.finish, settings.concurrency)
        keeper = Keeper(place, self._flight, self._settler, self._losses, self._interrupt)
        self._maintainer = Maintainer(place, keeper.extend_held)
        self._fetcher = Fetcher(place, self._flight, keeper.extend, self._hand_out)
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
        for run in list(self._flight.waiting):
            if self._flight.begin(run):
                self._settler.finish(run, Release(run.claim))
        seconds = grace.total_seconds()
        _wait_while(lambda: bool(self._flight.open), seconds, hurried)
        for run in list(self._flight.open):
            self._interrupt(run, Stop.SHUTDOWN)
        _wait_while(lambda: bool(self._flight.open), _STOPPING_GRACE)
        for run in list(self._flight.open):
            self._settler.finish(run, Release(run.claim))
        _wait_while(lambda: bool(self._flight.held), max(seconds, _STOPPING_GRACE), hurried)
        for part in reversed(self._parts):
            part.stop()

    def snapshot(self) -> Snapshot:
        """Return the worker in numbers."""
        held, open, waiting = len(self._flight.held), len(self._flight.open), len(self._flight.waiting)
        counts = self._settler.counts + self._maintainer.counts
        return Snapshot(
            running=True,
            waiting=waiting,
            working=max(0, open - waiting),
            unsettled=max(0, held - open),
            stuck=self._threads.stuck() + self._tasks.stuck(),
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
            error = TimeoutError(f"the handler did not return within {run.definition.options.timeout}")
            if self._settler.finish(*failed(run, error)):
                self._give_up(run)

    def _give_up(self, run: Run) -> None:
        if run.definition.is_async:
            self._tasks.give_up(run)
        else:
            self._threads.replace()


def _wait_while(condition: Callable[[], bool], seconds: float, hurried: Callable[[], bool] = lambda: False) -> None:
    deadline = monotonic() + seconds
    while condition() and monotonic() < deadline and not hurried():
        sleep(_POLL)
