"""Run async handlers on an event loop in a thread of its own."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextvars import Context
from functools import partial
from threading import Thread

from ..messages.safe_logging import safe_logger
from .attempt import Attempt
from .batcher import Batch
from .execute import Ended, execute_async, failed, undecided
from .execute_batch import execute_batch_async
from .in_flight import InFlight
from .service import STOP_SECONDS
from .stuck import StuckHandlers
from .thread_executor import Finish
from .worker_context import WorkerContext

logger = safe_logger("tallystick.worker")


class AsyncExecutor:
    """An event loop that runs at most `count` tasks at once. Other threads may call only the public methods."""

    def __init__(
        self, context: WorkerContext, in_flight: InFlight, finish: Finish, count: int, stuck: StuckHandlers
    ) -> None:
        self._context = context
        self._in_flight = in_flight
        self._finish = finish
        self._count = count
        self._stuck = stuck
        self._waiting: deque[Attempt | Batch] = deque()
        self._active = 0
        self._stopping = False
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="tallystick-loop", daemon=True)

    def start(self) -> None:
        """Start the event loop."""
        self._thread.start()

    def put(self, attempts: Sequence[Attempt | Batch]) -> None:
        """Queue attempts, and batches of them, to run."""
        if attempts:
            self._loop.call_soon_threadsafe(self._admit, attempts)

    def cancel(self, attempt: Attempt) -> None:
        """Cancel the task of an attempt. Set `attempt.stop` first."""
        self._stuck.loop_waits = True
        self._loop.call_soon_threadsafe(self._cancel, attempt)

    def replace(self) -> None:
        """Free the slot of a handler that ignores its cancellation."""
        self._loop.call_soon_threadsafe(self._free_slot)

    def stop(self) -> None:
        """Stop the loop. Abandons handlers that ignore their cancellation."""
        self._stopping = True
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_SECONDS)
        elif not self._loop.is_closed():
            self._loop.close()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                self._run_until_stopped(runner.get_loop())
                runner.get_loop().set_task_factory(None)  # a handler's own factory may raise while the loop closes
        except BaseException:  # from the cancellation of a task that a handler started
            logger.exception("a task raised an exception while the event loop was closing")

    def _run_until_stopped(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping:
            try:
                loop.run_forever()
            except BaseException:  # SystemExit in a task that a handler started stops the loop: restart it
                logger.exception("a task stopped the event loop; the loop continues")

    def _admit(self, attempts: Sequence[Attempt | Batch]) -> None:
        self._waiting.extend(attempts)
        self._begin_some()

    def _begin_some(self) -> None:
        while self._waiting and self._active < self._count:
            attempt = self._waiting.popleft()
            if isinstance(attempt, Batch):
                if attempt.begin(self._in_flight):
                    self._active += 1
                    self._begin_batch(attempt.attempts)
            elif self._in_flight.begin(attempt):
                self._active += 1
                self._begin(attempt)

    def _begin(self, attempt: Attempt) -> None:
        """Start a task in an empty context. The current context is a copy of the fetcher's or of another job's."""
        work = self._work(attempt)
        try:
            attempt.task = Context().run(self._loop.create_task, work, name=f"tallystick-{attempt.kind}")
            attempt.task.add_done_callback(partial(self._done, attempt))
        except BaseException as exc:  # a handler may have set a task factory
            work.close()
            self._finish(failed(attempt, exc))
            self._active -= 1

    def _begin_batch(self, attempts: list[Attempt]) -> None:
        """Start one task for a batch, as `_begin` does."""
        work = self._work_batch(attempts)
        try:
            task = Context().run(self._loop.create_task, work, name=f"tallystick-{attempts[0].kind}")
            for attempt in attempts:
                attempt.task = task
            task.add_done_callback(partial(self._batch_done, attempts))
        except BaseException as exc:
            work.close()
            for attempt in attempts:
                self._finish(failed(attempt, exc))
            self._active -= 1

    async def _work_batch(self, attempts: list[Attempt]) -> list[Ended]:
        with self._context.current():
            return await execute_batch_async(self._context, attempts)

    def _batch_done(self, attempts: list[Attempt], task: "asyncio.Task[list[Ended]]") -> None:
        for attempt in attempts:
            attempt.task = None
        for ended in _batch_ended(attempts, task):
            self._finish(ended)
        if not self._stuck.remove(attempts[0]):
            self._free_slot()

    async def _work(self, attempt: Attempt) -> Ended:
        with self._context.current():
            return await execute_async(self._context, attempt)

    def _done(self, attempt: Attempt, task: "asyncio.Task[Ended]") -> None:
        attempt.task = None  # the task keeps the handler's exception with all its frames
        if self._finish(_ended(attempt, task)) or not self._stuck.remove(attempt):
            self._free_slot()

    def _cancel(self, attempt: Attempt) -> None:
        self._stuck.loop_waits = False
        if attempt.task is not None:
            attempt.task.cancel()

    def _free_slot(self) -> None:
        self._active -= 1
        self._begin_some()


def _ended(attempt: Attempt, task: "asyncio.Task[Ended]") -> Ended:
    if task.cancelled():  # before its first step
        return failed(attempt, asyncio.CancelledError())
    exc = task.exception()
    return task.result() if exc is None else undecided(attempt, exc)


def _batch_ended(attempts: list[Attempt], task: "asyncio.Task[list[Ended]]") -> list[Ended]:
    if task.cancelled():
        return [failed(attempt, asyncio.CancelledError()) for attempt in attempts]
    exc = task.exception()
    return task.result() if exc is None else [undecided(attempt, exc) for attempt in attempts]
