"""Work jobs one at a time in the calling thread, by the code that a worker runs in its threads."""

import asyncio
from collections.abc import Sequence
from contextvars import copy_context
from math import inf
from threading import Event

from ..async_bridge import hop
from ..contract.backend import Backend
from ..contract.outcomes import Discard, Retry
from ..contract.schedules import Schedule
from ..errors import Unsupported
from ..jobs.batch_definition import BatchDefinition
from ..jobs.control import DiscardJob
from ..runner.runner import Runner
from ..worker.as_stored import as_stored
from ..worker.attempt import Attempt
from ..worker.execute import Ended, execute, execute_async
from ..worker.execute_batch import execute_batch, execute_batch_async
from ..worker.firing import LIMIT, Firing
from ..worker.settle_retry import SettleRetry
from ..worker.unknown import UNKNOWN
from .clock import Clock
from .loops import outside_loop


class StepWorker:
    """The steps of a worker, each as a call: fire schedules, rescue, claim, run, record."""

    def __init__(self, runner: Runner, backend: Backend, clock: Clock) -> None:
        self._runner = runner
        self._clock = clock
        self._backend = backend
        self._firing = Firing(backend, backend.capabilities.max_batch, _broken)
        give_up = Event()
        give_up.set()  # an error of the store fails the test at once
        self._settle_retry = SettleRetry(backend, give_up)
        self._loop = asyncio.Runner(loop_factory=asyncio.new_event_loop)  # by a factory: keeps the thread's own loop

    def begin(self) -> None:
        """Do as the start of a worker does: open the store, and put the schedules that the application declares."""
        self._runner.__enter__()  # the application may have closed it, as at the end of a lifespan
        self._runner._declared.put(self._backend, self._runner.settings)  # noqa: SLF001  # tests run the same code as workers

    def due_schedules(self) -> list[Schedule]:
        """Return schedules that are not paused, the next tick first."""
        try:
            return [each for each in self._backend.due_schedules(limit=LIMIT) if each.next_tick is not None]
        except Unsupported:
            return []

    def fire_due(self) -> None:
        """Fire the ticks of schedules that are due now."""
        while advances := list(self._firing.advances(self.due_schedules(), self._clock.now())):
            self._firing.advance(advances)

    def rescue(self) -> None:
        """Rescue jobs with an expired lease."""
        while self._backend.rescue(limit=LIMIT):
            pass

    def claim(self, queues: Sequence[str]) -> Attempt | None:
        """Claim the first due job."""
        settings = self._runner.settings
        for record in self._backend.claim(queues, limit=1, worker=settings.worker, lease=settings.lease):
            context = self._runner._worker_context()  # noqa: SLF001  # as above
            context.observers.claimed([record])
            return Attempt(context, record, context.definitions.get(record.kind, UNKNOWN), 0.0, inf)
        return None

    def run(self, attempt: Attempt) -> Ended:
        """Run a handler. An async handler runs on an event loop of this worker."""
        if not attempt.definition.is_async:
            return copy_context().run(self._run_sync, attempt)
        return outside_loop(lambda: self._loop.run(self.arun(attempt)))

    async def arun(self, attempt: Attempt) -> Ended:
        """Run an async handler on the calling event loop, and a sync handler in a thread."""
        if not attempt.definition.is_async:
            return await hop(lambda: self._run_sync(attempt))
        return await asyncio.get_running_loop().create_task(self._run_async(attempt))

    def record(self, ended: Ended) -> Ended:
        """Record how an attempt ended, and call the callbacks. Return the recorded outcome."""
        by_handler = ended.attempt.completion is not None
        [recorded] = (self._settle_retry.record_own if by_handler else self._settle_retry.record)([ended])
        if recorded is None:
            return ended
        context = ended.attempt.worker_context
        [recorded] = as_stored(context, [recorded])
        context.observers.settled([recorded.outcome], [ended.attempt.record], [recorded.exception])
        return recorded

    def close(self) -> None:
        """Close the event loop."""
        outside_loop(self._loop.close)

    def _run_sync(self, attempt: Attempt) -> Ended:
        with attempt.worker_context.current():
            if isinstance(attempt.definition, BatchDefinition):
                return _of_one(execute_batch(attempt.worker_context, _batch(attempt)))
            return execute(attempt.worker_context, attempt)

    async def _run_async(self, attempt: Attempt) -> Ended:
        with attempt.worker_context.current():
            if isinstance(attempt.definition, BatchDefinition):
                return _of_one(await execute_batch_async(attempt.worker_context, _batch(attempt)))
            return await execute_async(attempt.worker_context, attempt)


def _batch(attempt: Attempt) -> list[Attempt]:
    """Return a batch of one job: a test runs jobs one after another."""
    attempt.batch = [attempt]
    return attempt.batch


def _of_one(ends: list[Ended]) -> Ended:
    [ended] = ends
    return ended


def _broken(name: str, revision: int, exc: Exception) -> None:
    """Fail the test: a worker would log that the schedule does not fire."""
    raise exc


def raise_failure(ended: Ended) -> None:
    """Raise the exception that failed an attempt. `DiscardJob` is a decision of the handler, and is not raised."""
    if isinstance(ended.outcome, Retry | Discard) and not isinstance(ended.exception, DiscardJob):
        assert ended.exception is not None
        raise ended.exception
