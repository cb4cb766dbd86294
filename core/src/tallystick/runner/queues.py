"""The methods of a runner about its queues. `Runner` inherits them."""

from collections.abc import Sequence
from datetime import timedelta

from ..async_bridge import async_variant
from ..contract.records import Queue, Stats
from . import throughput as sampler
from .lifecycle import Lifecycle


class RunnerQueues(Lifecycle):
    """Pauses, resumes, lists, counts and samples."""

    def pause(self, queue: str) -> None:
        """Pause a queue: no worker of any process claims its jobs until `resume`. The store keeps the setting.

        Jobs that are running go on. Repeat: harmless.
        """
        self.backend.pause(queue)

    apause = async_variant(pause)

    def resume(self, queue: str) -> None:
        """Resume a paused queue, so that workers claim its jobs again. Repeat: harmless."""
        self.backend.resume(queue)

    aresume = async_variant(resume)

    def queues(self) -> Sequence[Queue]:
        """Return the queues of the store, sorted by name, each with whether it is paused."""
        return self.backend.queues()

    aqueues = async_variant(queues)

    def stats(self) -> Stats:
        """Count the jobs of the store by state, kind and queue. `snapshot` counts those of this runner."""
        return self.backend.stats()

    astats = async_variant(stats)

    def throughput(
        self, window: timedelta = sampler.HOUR, *, step: timedelta = sampler.MINUTE
    ) -> Sequence[sampler.Throughput]:
        """Return the attempts of all workers of the store in the last `window`, step by step.

        Workers send their numbers every ten seconds, so the latest attempts may be missing.

        Args:
            window: From one minute to seven days.
            step: A whole number of minutes. Steps begin at multiples of it since 1970 in UTC.

        Returns:
            One entry for each step and queue, by the start of the step, then queue. A step without attempts has none.

        Raises:
            InvalidArgument: The window is too short or too long, or the step is not a whole number of minutes.
        """
        return sampler.read(self.backend, window, step)

    athroughput = async_variant(throughput)
