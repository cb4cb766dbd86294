"""The two modes of a test: jobs wait for `drain`, or run when they are enqueued."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime

from ..contract.backend import Backend
from ..hooks.plugins import open_backend
from ..runner.runner import Runner
from .clock import Clock, use_clock
from .ephemeral import ephemeral
from .inline_tester import InlineTester
from .job_tester import JobTester


@contextmanager
def manual(runner: Runner, *, url: str = "memory://", start: datetime | None = None) -> Iterator[JobTester]:
    """Give a runner a new store inside the block. Its jobs run when the test calls `drain`.

    Args:
        runner: The application's runner. It must not be running.
        url: Where to create the store; see `ephemeral`.
        start: The time at the start of the block, from which the clock moves only by `advance`. By default, it runs
            along with the real time.

    Raises:
        AlreadyStarted: The runner is running.
    """
    clock = Clock(start)
    with _own_store(runner, url, clock) as backend, closing(JobTester(runner, backend, clock)) as tester:
        yield tester


@contextmanager
def inline(
    runner: Runner, *, url: str = "memory://", start: datetime | None = None, raises: bool = True
) -> Iterator[JobTester]:
    """Give a runner a new store inside the block. Each job that is due runs inside the call that enqueues it.

    A job for later runs when `advance` reaches its time. A job that is enqueued in a transaction runs at `drain`.

    Args:
        runner: See `manual`.
        url: See `manual`.
        start: See `manual`.
        raises: Let `enqueue` raise the exception of a handler that fails. With False, it is only stored.
    """
    clock = Clock(start)
    with (
        _own_store(runner, url, clock) as backend,
        closing(InlineTester(runner, backend, clock, raises=raises)) as tester,
    ):
        yield tester


@contextmanager
def _own_store(runner: Runner, url: str, clock: Clock) -> Iterator[Backend]:
    with ephemeral(url) as own, open_backend(own) as backend:
        use_clock(backend, clock)
        with runner.using(backend):
            yield backend
