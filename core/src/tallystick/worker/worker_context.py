"""The shared state of all parts of a worker."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..config.settings import Settings
from ..contract.backend import Backend
from ..hooks.observers import Observers
from ..jobs.batch_definition import BatchDefinition
from ..jobs.definition import Definition
from ..jobs.services import Services
from .progress_reports import ProgressReports
from .put_off import PutOff

EXTEND_AFTER = 1 / 6
"""The fraction of a lease after which it is extended. It is small: a lease outlasts several failed extensions."""

_SLOW_CLAIM = 10
"""How many times `batch` a slow claim may take. It mostly skips dead rows, so more jobs hardly make it slower."""


class Children(Protocol):
    """The child processes of isolated handlers."""

    def stop(self) -> None:
        """End them."""


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """The store, settings and jobs of one runner. Inside `current()`, `Runner.current` returns this runner."""

    backend: Backend
    settings: Settings
    queues: tuple[str, ...]
    definitions: Mapping[str, Definition[Any, Any]]
    observers: Observers
    current: Callable[[], AbstractContextManager[object]]
    services: Services = field(default_factory=Services)
    put_off: PutOff = field(default_factory=PutOff)
    reports: ProgressReports = field(default_factory=ProgressReports)
    children: Children | None = None

    @property
    def batch(self) -> int:
        """The most items per call to the store, but for slow claims."""
        return min(self.settings.batch, self.backend.capabilities.max_batch)

    @property
    def slow_batch(self) -> int:
        """The most jobs of a slow claim."""
        return min(self.settings.batch * _SLOW_CLAIM, self.backend.capabilities.max_batch)

    @property
    def slots(self) -> int:
        """How many jobs can run at once: `concurrency` threads, `concurrency` tasks, or both; and whole batches."""
        definitions = list(self.definitions.values())
        is_async = {definition.is_async for definition in definitions} or {False}
        batches = sum(definition.max for definition in definitions if isinstance(definition, BatchDefinition))
        return self.settings.concurrency * len(is_async) + batches

    @property
    def has_batches(self) -> bool:
        """Whether a kind of batches is registered."""
        return any(isinstance(definition, BatchDefinition) for definition in self.definitions.values())

    @property
    def extend_interval(self) -> float:
        """Seconds from a claim or an extension to the next extension."""
        return self.settings.lease.total_seconds() * EXTEND_AFTER

    @property
    def half_lease(self) -> float:
        """Half of a lease, in seconds: this much must be left of the worker's own leases when it rescues."""
        return self.settings.lease.total_seconds() / 2
