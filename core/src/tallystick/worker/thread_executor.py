"""The threads that work sync handlers."""

from collections.abc import Callable, Iterable
from contextvars import copy_context
from itertools import count as numbers
from queue import SimpleQueue
from threading import Thread

from ..outcomes import Outcome
from .attempt import Attempt
from .execute import execute
from .in_flight import InFlight
from .stuck import StuckHandlers
from .worker_context import WorkerContext

Finish = Callable[[Attempt, Outcome, BaseException | None], bool]
"""Ends an attempt with its outcome and what was raised; False if it had one already."""


class ThreadExecutor:
    """A fixed number of threads at one queue. Daemons, since no thread can be made to leave its handler."""

    def __init__(
        self, context: WorkerContext, in_flight: InFlight, finish: Finish, count: int, stuck: StuckHandlers
    ) -> None:
        self._context = context
        self._in_flight = in_flight
        self._finish = finish
        self._stuck = stuck
        self._queue: SimpleQueue[Attempt | None] = SimpleQueue()
        self._count = count
        self._numbers = numbers()

    def start(self) -> None:
        """Begin."""
        for _ in range(self._count):
            self._start_one()

    def put(self, attempts: Iterable[Attempt]) -> None:
        """Hand in jobs to work."""
        for attempt in attempts:
            self._queue.put(attempt)

    def replace(self) -> None:
        """Give up a thread whose handler does not return; it ends if the handler ever does."""
        self._start_one()

    def stop(self) -> None:
        """Let each thread end once its handler returns."""
        self._queue.put(None)

    def _start_one(self) -> None:
        Thread(target=self._work, name=f"tallystick-handler-{next(self._numbers)}", daemon=True).start()

    def _work(self) -> None:
        with self._context.current():
            while (attempt := self._queue.get()) is not None:
                # in a context of its own, so that no job sees the context variables that another has set
                if not self._in_flight.begin(attempt) or self._finish(
                    *copy_context().run(execute, self._context, attempt)
                ):
                    continue
                if self._stuck.remove(attempt):
                    return  # this thread was given up meanwhile, and another has its place
            self._queue.put(None)  # for the next thread
