"""The jobs of the benchmark, and the runner that enqueues and works them."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from ..hooks.plugins import open_backend
from ..jobs.context import Context
from ..jobs.job_base import Job
from ..runner.runner import Runner

QUEUE = "bench"


class Noop(Job[None]):
    """Does nothing."""

    kind = "bench:noop"
    queue = QUEUE
    number: int

    def work(self, ctx: Context) -> None:
        """Do nothing."""


class Ping(Job[None]):
    """Carries the time of its enqueue."""

    kind = "bench:ping"
    queue = QUEUE
    sent: float

    def work(self, ctx: Context) -> None:
        """Note how many seconds it took until now."""
        latencies.append(monotonic() - self.sent)


latencies: list[float] = []
"""The seconds from the enqueue of each ping to its handler in this process."""


@contextmanager
def opened_runner(url: str) -> Iterator[Runner]:
    """Open a runner with the settings of the environment. It does not warn of the jobs that it leaves in the store."""
    with open_backend(url) as backend, Runner(backend, queues=(QUEUE,)) as runner:
        runner.register(Noop)
        runner.register(Ping)
        yield runner


def noops(count: int) -> list[Noop]:
    """Return jobs that do nothing."""
    return [Noop(number=number) for number in range(count)]
