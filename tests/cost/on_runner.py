"""The counter of the runner: the bytecode instructions that its parts execute on the memory backend, in one thread."""

import gc
import sys
from collections.abc import Callable
from itertools import count

from cost.ledger import StoreCosts
from cost.plain_path import BATCH, JOBS
from tallystick import Context, Job, Runner
from tallystick.worker.worker import Worker

PYTHON = (3, 13)
"""The Python whose instructions are counted. Other versions compile to other instructions."""


class Send(Job[None]):
    """Does nothing."""

    kind = "emails:send"
    to: str
    order: int

    def work(self, ctx: Context) -> None:
        """Do nothing."""


def measure() -> StoreCosts:
    """Return the costs of enqueueing `JOBS` jobs in a batch and singly, and of working them in batches of `BATCH`."""
    with Runner("memory://", concurrency=BATCH, batch=BATCH) as runner:
        runner.register(Send)
        worker = Worker(runner._worker_context())
        orders = count()

        def new(jobs: int) -> list[Send]:
            return [Send(to="ada@example.org", order=next(orders)) for _ in range(jobs)]

        def work(jobs: int) -> None:
            for _ in range(0, jobs, BATCH):
                _work_batch(worker)

        runner.enqueue_batch(new(BATCH - 1))
        runner.enqueue(new(1)[0])
        work(BATCH)
        batch, single = new(JOBS), new(JOBS)
        costs = {
            "enqueue_batch": _instructions(lambda: runner.enqueue_batch(batch)),
            "enqueue_single": _instructions(lambda: [runner.enqueue(job) for job in single]),
            "work": _instructions(lambda: work(JOBS)),
        }
        work(JOBS)
        assert worker.snapshot().completed == BATCH + 2 * JOBS
        worker._tasks.stop()
    return {phase: {"instructions": executed} for phase, executed in costs.items()}


def _work_batch(worker: Worker) -> None:
    """Make each part of a worker do its work on a batch in this thread, so that no count depends on timing."""
    worker._fetcher._step()
    worker._threads.stop()
    worker._threads._work()
    worker._threads._queue.get()  # the sign to stop, which is for the next thread
    worker._settler._settle_next()


def _instructions(work: Callable[[], object]) -> int:
    """Return the number of bytecode instructions that a call executes."""
    executed = 0

    def executes(code: object, offset: int) -> None:
        nonlocal executed
        executed += 1

    monitoring = sys.monitoring  # type: ignore[attr-defined,unused-ignore]  # mypy checks for an older Python
    tool, event = monitoring.PROFILER_ID, monitoring.events.INSTRUCTION
    monitoring.use_tool_id(tool, "cost")
    monitoring.register_callback(tool, event, executes)
    gc.disable()  # a collection may call finalizers
    monitoring.set_events(tool, event)
    try:
        work()
    finally:
        monitoring.set_events(tool, monitoring.events.NO_EVENTS)
        gc.enable()
        monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)
    return executed
