"""What the works of one benchmark share: the store, the sizes, and the stores that live as long as the benchmark."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic

from ..contract.backend import Backend
from ..hooks.plugins import open_backend
from .stores import new_store


@dataclass(frozen=True)
class Sizes:
    """How much to measure.

    Args:
        jobs: The jobs of a drain, and of a measurement in batches. Slower works have fewer.
        depth: The other jobs in the store, for the works at depth.
    """

    jobs: int
    depth: int

    @property
    def single(self) -> int:
        """The number of jobs that are enqueued one by one."""
        return max(1, self.jobs // 10)

    @property
    def pings(self) -> int:
        """The number of jobs whose pick-up is measured."""
        return max(1, self.jobs // 100)

    @property
    def claimed(self) -> int:
        """The number of jobs that are claimed at depth."""
        return max(1, self.jobs // 2)


class Session:
    """One run of the benchmark on one store. Close the stack to remove the stores that were kept."""

    def __init__(self, url: str, sizes: Sizes, *, stack: ExitStack, report: Callable[[str], None]) -> None:
        self.url = url
        self.sizes = sizes
        self.report = report
        self._stack = stack
        self._kept: dict[str, Backend] = {}
        with open_backend(url) as backend:
            self.capabilities = backend.capabilities

    @contextmanager
    def store(self) -> Iterator[str]:
        """Yield the URL of a new store, and remove the store afterwards."""
        with new_store(self.url) as url:
            yield url

    @contextmanager
    def backend(self) -> Iterator[Backend]:
        """Yield a client of a new store."""
        with self.store() as url, open_backend(url) as backend:
            yield backend

    def kept(self, name: str, fill: Callable[[Backend], None]) -> Backend:
        """Return a client of a store that is filled at its first use, and removed at the end of the benchmark."""
        if name not in self._kept:
            backend = self._stack.enter_context(self.backend())
            fill(backend)
            self._kept[name] = backend
        return self._kept[name]

    def batches(self, count: int, size: int) -> Iterator[int]:
        """Yield the sizes of batches of `count` items in total. No batch is larger than the store allows."""
        size = min(size, self.capabilities.max_batch)
        while count > 0:
            yield min(size, count)
            count -= size


def rate(count: int, began: float, ended: float | None = None) -> float:
    """Return items per second, from `began` until `ended` or now."""
    return count / max(1e-9, (monotonic() if ended is None else ended) - began)
