"""The parts of a worker, put together: started in order, and stopped without losing a job."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic, sleep

from ..context import Context, Stop
from ..outcomes import Cancel, Complete, Discard, Release, Retry
from .fetcher import Fetcher
from .flight import Flight
from .keeper import Keeper
from .maintainer import Maintainer
from .perform import failed
from .settler import Settler
from .snapshot import Snapshot
from .tasks import Tasks
from .threads import Threads
from .workplace import Workplace

_POLL = 0.02
_STOPPING_GRACE = 1.0
"""Seconds for handlers that were told to stop to do so."""


class Worker:
    """Claimed jobs run from the fetcher to threads or tasks, and their outcomes to the settler; all by queues."""

    def __init__(self, place: Workplace) -> None:
        settings = place.settings
        self._flight = Flight(settings.concurrency, settings.batch)
        self._settler = Settler(place, self._flight)
        self._threads = Threads(place, self._flight, self._settler.finish, settings.concurrency)
        self._tasks = Tasks(place, self._flight, self._settler.finish, settings.concurrency)
        self._fetcher = Fetcher(place, self._flight, self._hand_out)
        self._keeper = Keeper(place, self._flight, self._settler, self._interrupt)
        self._maintainer = Maintainer(place)

    def start(self) -> None:
        """Begin to claim and work."""
        for part in (self._settler, self._threads, self._tasks, self._keeper.service, self._maintainer.service):
            part.start()
        self._fetcher.service.start()

    def stop(self, grace: timedelta, hurried: Callable[[], bool]) -> None:
        """Claim no more, let jobs finish for `grace` or until `hurried`, give back the rest, and settle all."""
        self._fetcher.service.stop()
        for ctx in list(self._flight.waiting):
            if self._flight.begin(ctx):
                self._settler.finish(ctx, Release(ctx.claim))
        self._wait_until_ended(grace.total_seconds(), hurried)
        for ctx in list(self._flight.open):
            self._interrupt(ctx, Stop.SHUTDOWN)
        self._wait_until_ended(_STOPPING_GRACE, lambda: False)
        for ctx in list(self._flight.open):
            self._settler.finish(ctx, Release(ctx.claim))
        self._settler.stop(timeout=max(1.0, grace.total_seconds()))
        self._threads.stop()
        self._tasks.stop()
        self._keeper.service.stop()
        self._maintainer.service.stop()

    def snapshot(self) -> Snapshot:
        """Return the worker in numbers."""
        held, open, waiting = len(self._flight.held), len(self._flight.open), len(self._flight.waiting)
        counts = self._settler.counts
        return Snapshot(
            running=True,
            waiting=waiting,
            working=max(0, open - waiting),
            unsettled=max(0, held - open),
            stuck=self._threads.stuck(),
            completed=counts[Complete],
            retried=counts[Retry],
            discarded=counts[Discard],
            released=counts[Release],
            cancelled=counts[Cancel],
            lost=self._settler.lost,
        )

    def _hand_out(self, contexts: Sequence[Context]) -> None:
        self._threads.put([ctx for ctx in contexts if not ctx.definition.is_async])
        self._tasks.put([ctx for ctx in contexts if ctx.definition.is_async])

    def _interrupt(self, ctx: Context, why: Stop) -> None:
        """Tell a job to stop. A task is cancelled; a thread can only be told, and is given up where it must end now."""
        ctx.stop = why
        if ctx.definition.is_async:
            self._tasks.cancel(ctx)
        elif why is Stop.TIMED_OUT:
            error = TimeoutError(f"the handler did not return within {ctx.definition.options.timeout}")
            if self._settler.finish(ctx, failed(ctx, error)):
                self._threads.replace()

    def _wait_until_ended(self, seconds: float, hurried: Callable[[], bool]) -> None:
        deadline = monotonic() + seconds
        while self._flight.open and monotonic() < deadline and not hurried():
            sleep(_POLL)
