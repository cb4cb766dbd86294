"""Run sync handlers in threads."""

from collections.abc import Callable, Iterable
from contextvars import copy_context
from itertools import count as numbers
from queue import SimpleQueue
from threading import Thread

from .attempt import Attempt
from .batcher import Batch
from .execute import Ended, execute
from .execute_batch import execute_batch
from .fetcher import Fetcher
from .in_flight import InFlight
from .stuck import StuckHandlers
from .worker_context import WorkerContext

Finish = Callable[[Ended], bool]
"""Ends an attempt with its outcome and exception; False if it had ended before."""


class ThreadExecutor:
    """Daemon threads that serve one queue: one for each of `count` handlers, and one for the fetcher.

    A thread cannot be forced to leave its handler.
    """

    def __init__(
        self, context: WorkerContext, in_flight: InFlight, finish: Finish, count: int, stuck: StuckHandlers
    ) -> None:
        self._context = context
        self._in_flight = in_flight
        self._finish = finish
        self._stuck = stuck
        self._queue: SimpleQueue[Attempt | Batch | Fetcher | None] = SimpleQueue()
        self._count = count
        self._numbers = numbers()

    def start(self) -> None:
        """Start the threads."""
        for _ in range(self._count + 1):
            self._start_one()

    def fetch(self, fetcher: Fetcher) -> None:
        """Let a thread run the fetcher. If that thread runs a job itself, it queues the fetcher again."""
        self._queue.put(fetcher)

    def put(self, attempts: Iterable[Attempt | Batch]) -> None:
        """Queue attempts, and batches of them, to run."""
        for attempt in attempts:
            self._queue.put(attempt)

    def replace(self) -> None:
        """Start a thread in place of one whose handler does not return. The old one ends when its handler returns."""
        self._start_one()

    def stop(self) -> None:
        """Let each thread end once its handler returns."""
        self._queue.put(None)

    def _start_one(self) -> None:
        Thread(target=self._work, name=f"tallystick-handler-{next(self._numbers)}", daemon=True).start()

    def _work(self) -> None:
        with self._context.current():
            while (item := self._queue.get()) is not None:
                if isinstance(item, Fetcher):
                    fetcher = item
                    # a context of its own, so that context variables of hooks do not reach a job
                    if (item := copy_context().run(fetcher.run)) is None:
                        continue
                    self._queue.put(fetcher)  # before a later job, so that a free thread takes it first
                if self._work_batch(item) if isinstance(item, Batch) else self._work_one(item):
                    return  # this thread was replaced
            self._queue.put(None)  # stops the next thread

    def _work_one(self, attempt: Attempt) -> bool:
        """Run an attempt. Return whether this thread was replaced, because the handler ran past its timeout."""
        # a context per job, so that context variables do not leak between jobs
        if not self._in_flight.begin(attempt) or self._finish(copy_context().run(execute, self._context, attempt)):
            return False
        return self._stuck.remove(attempt)

    def _work_batch(self, batch: Batch) -> bool:
        """Run a batch, as `_work_one` runs an attempt."""
        if not batch.begin(self._in_flight):
            return False
        for ended in copy_context().run(execute_batch, self._context, batch.attempts):
            self._finish(ended)
        return self._stuck.remove(batch.attempts[0])
