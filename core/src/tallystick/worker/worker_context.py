"""What every part of a worker works with."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from ..backend import Backend
from ..definition import Definition
from ..observers import Observers
from ..settings import Settings
from .put_off import PutOff

EXTEND_AFTER = 1 / 6
"""The part of a lease after which it is extended: often enough to learn soon of a cancellation."""


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """The store, the settings and the jobs of one runner. In `current()`, `Runner.current` is that runner."""

    backend: Backend
    settings: Settings
    queues: tuple[str, ...]
    definitions: Mapping[str, Definition[Any, Any]]
    observers: Observers
    current: Callable[[], AbstractContextManager[object]]
    put_off: PutOff = field(default_factory=PutOff)

    @property
    def batch(self) -> int:
        """The most items of one call to the store."""
        return min(self.settings.batch, self.backend.capabilities.max_batch)

    @property
    def slots(self) -> int:
        """How many jobs can be worked at once: as many threads and as many tasks as `concurrency` says."""
        sorts = {definition.is_async for definition in self.definitions.values()} or {False}
        return self.settings.concurrency * len(sorts)

    @property
    def extend_interval(self) -> float:
        """How long after a claim or an extension its lease is extended, in seconds."""
        return self.settings.lease.total_seconds() * EXTEND_AFTER

    @property
    def half_lease(self) -> float:
        """Half of a lease, in seconds: what must be left of the worker's own leases when it rescues."""
        return self.settings.lease.total_seconds() / 2
