"""The event loop that works async handlers, in a thread of its own."""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial
from threading import Thread

from ..context import Context
from ..outcomes import Outcome
from .flight import Flight
from .perform import failed, perform_async
from .threads import Finish
from .workplace import Workplace


class Tasks:
    """One loop, and at most `count` tasks at once. All but the public methods run on the loop."""

    def __init__(self, place: Workplace, flight: Flight, finish: Finish, count: int) -> None:
        self._place = place
        self._flight = flight
        self._finish = finish
        self._count = count
        self._waiting: deque[Context] = deque()
        self._active = 0
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="windlass-loop", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, contexts: Sequence[Context]) -> None:
        """Hand in jobs to work."""
        self._loop.call_soon_threadsafe(self._admit, contexts)

    def cancel(self, ctx: Context) -> None:
        """Cancel the task of a job whose `stop` is set."""
        self._loop.call_soon_threadsafe(self._cancel, ctx)

    def stop(self) -> None:
        """End the loop; a handler that ignores its cancellation is left where it is."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.get_loop().run_forever()

    def _admit(self, contexts: Sequence[Context]) -> None:
        self._waiting.extend(contexts)
        self._begin_some()

    def _begin_some(self) -> None:
        while self._waiting and self._active < self._count:
            ctx = self._waiting.popleft()
            if self._flight.begin(ctx):
                self._active += 1
                ctx.task = self._loop.create_task(self._work(ctx), name=f"windlass-{ctx.kind}")
                ctx.task.add_done_callback(partial(self._done, ctx))

    async def _work(self, ctx: Context) -> Outcome:
        with self._place.current():
            return await perform_async(self._place, ctx)

    def _done(self, ctx: Context, task: "asyncio.Task[Outcome]") -> None:
        # a task that is cancelled before its first step has no outcome of its own
        self._finish(ctx, failed(ctx, asyncio.CancelledError()) if task.cancelled() else task.result())
        self._active -= 1
        self._begin_some()

    def _cancel(self, ctx: Context) -> None:
        if ctx.task is not None:
            ctx.task.cancel()
