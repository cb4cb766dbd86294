"""Random pre-emption: hold threads for a moment before some of their steps, so that other threads overtake them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from threading import get_ident
from time import sleep

from tallystick import Backend

from ..subject.target import Target
from .observer import StepObserver

_LONGEST = 0.002
"""Seconds: about the duration of a small transaction."""


class Jitter:
    """Holds workers at random. Open clients with `client`, and run a thread's calls within `worker(name)`."""

    def __init__(self, steps: StepObserver, target: Target, namespace: str, seed: int | str) -> None:
        self._steps, self._target, self._namespace = steps, target, namespace
        self._seed = seed
        self._random: dict[int | str, Random] = {}
        self._entered: Counter[str] = Counter()

    def client(self, worker: str) -> Backend:
        """Open a client for a worker."""
        return self._steps.client(self._target, self._namespace, worker)

    @contextmanager
    def worker(self, name: str) -> Iterator[None]:
        """Make the calling thread a worker within the block.

        Its delays depend on the seed, the name and earlier uses.
        """
        self._entered[name] += 1
        self._random[get_ident()] = self._random[name] = Random(f"{self._seed} {name} {self._entered[name]}")
        try:
            with self._steps.watched():
                yield
        finally:
            del self._random[get_ident()], self._random[name]

    def step(self, name: str | None = None) -> None:
        """Hold the worker for a moment, or not."""
        random = self._random.get(name or get_ident())
        if random is not None and random.random() < self._steps.share:
            sleep(random.random() * _LONGEST)


@contextmanager
def jitter(steps: StepObserver, target: Target, namespace: str, seed: int | str) -> Iterator[Jitter]:
    """Hold, at random, the workers of the clients that are opened in this block."""
    held = Jitter(steps, target, namespace, seed)
    with steps.armed(held.step):
        yield held
