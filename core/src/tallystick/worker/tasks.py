"""The event loop that works async handlers, in a thread of its own."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextvars import Context
from functools import partial
from threading import Thread

from ..safe_logging import safe_logger
from .flight import Flight
from .perform import Ended, failed, perform_async, undecided
from .run import Run
from .stuck import StuckHandlers
from .threads import Finish
from .workplace import Workplace

logger = safe_logger("tallystick.worker")

_STOP_SECONDS = 5


class Tasks:
    """One loop, and at most `count` tasks at once. All but the public methods run on the loop."""

    def __init__(self, place: Workplace, flight: Flight, finish: Finish, count: int, stuck: StuckHandlers) -> None:
        self._place = place
        self._flight = flight
        self._finish = finish
        self._count = count
        self._stuck = stuck
        self._waiting: deque[Run] = deque()
        self._active = 0
        self._stopping = False
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="tallystick-loop", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, runs: Sequence[Run]) -> None:
        """Hand in jobs to work."""
        self._loop.call_soon_threadsafe(self._admit, runs)

    def cancel(self, run: Run) -> None:
        """Cancel the task of a job whose `stop` is set."""
        self._stuck.loop_waits = True
        self._loop.call_soon_threadsafe(self._cancel, run)

    def replace(self) -> None:
        """Give the place of a handler that ignores its cancellation to another."""
        self._loop.call_soon_threadsafe(self._free_place)

    def stop(self) -> None:
        """End the loop; a handler that ignores its cancellation is left where it is."""
        self._stopping = True
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_STOP_SECONDS)
        elif not self._loop.is_closed():
            self._loop.close()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                self._run_until_stopped(runner.get_loop())
                runner.get_loop().set_task_factory(None)  # one of a handler's may raise while the loop is closed
        except BaseException:  # of a task that a handler left behind, when it is cancelled
            logger.exception("a task raised while the event loop was closed")

    def _run_until_stopped(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping:
            try:
                loop.run_forever()
            except BaseException:  # SystemExit in a task that a handler began ends the loop, but must not end us
                logger.exception("a task left the event loop; it goes on")

    def _admit(self, runs: Sequence[Run]) -> None:
        self._waiting.extend(runs)
        self._begin_some()

    def _begin_some(self) -> None:
        while self._waiting and self._active < self._count:
            run = self._waiting.popleft()
            if self._flight.begin(run):
                self._active += 1
                self._begin(run)

    def _begin(self, run: Run) -> None:
        """Begin a task in a context of its own: the current one is a copy of the fetcher's or of another job's."""
        work = self._work(run)
        try:
            run.task = Context().run(self._loop.create_task, work, name=f"tallystick-{run.kind}")
            run.task.add_done_callback(partial(self._done, run))
        except BaseException as exc:  # a handler may have set a task factory
            work.close()
            self._finish(*failed(run, exc))
            self._active -= 1

    async def _work(self, run: Run) -> Ended:
        with self._place.current():
            return await perform_async(self._place, run)

    def _done(self, run: Run, task: "asyncio.Task[Ended]") -> None:
        run.task = None  # it keeps what the handler raised, with all its frames
        if self._finish(*_ended(run, task)) or not self._stuck.remove(run):
            self._free_place()

    def _cancel(self, run: Run) -> None:
        self._stuck.loop_waits = False
        if run.task is not None:
            run.task.cancel()

    def _free_place(self) -> None:
        self._active -= 1
        self._begin_some()


def _ended(run: Run, task: "asyncio.Task[Ended]") -> Ended:
    if task.cancelled():  # before its first step
        return failed(run, asyncio.CancelledError())
    exc = task.exception()
    return task.result() if exc is None else undecided(run, exc)
