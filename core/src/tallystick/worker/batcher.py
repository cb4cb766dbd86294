"""Collect the claimed jobs of batch kinds, until a batch is full or its first job has waited long enough."""

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from time import monotonic
from typing import NamedTuple

from ..jobs.batch_definition import BatchDefinition
from .attempt import Attempt
from .in_flight import InFlight
from .service import Service
from .worker_context import WorkerContext

_IDLE = 60.0
"""Seconds between two looks while no batch is open. A new batch ends the pause."""

_Definition = BatchDefinition[object, object]


class Batch:
    """Attempts for one call of a handler."""

    __slots__ = ("attempts", "definition")

    def __init__(self, definition: _Definition, attempts: list[Attempt]) -> None:
        self.definition = definition
        self.attempts = attempts

    def begin(self, in_flight: InFlight) -> bool:
        """Start the attempts that were not released or cancelled since. Return whether any is left."""
        self.attempts = [attempt for attempt in self.attempts if in_flight.begin(attempt)]
        for attempt in self.attempts:
            attempt.batch = self.attempts
        return bool(self.attempts)


class _Open(NamedTuple):
    attempts: list[Attempt]
    until: float


class Batcher:
    """Passes full batches on at once, and others from a thread of its own, which runs only if batches are used."""

    def __init__(self, context: WorkerContext, run: Callable[[Sequence[Batch]], None]) -> None:
        self.service = Service("batcher", self._step, context.current)
        self._run = run
        self._open: dict[_Definition, _Open] = {}
        self._lock = Lock()

    def put(self, attempts: Iterable[Attempt]) -> None:
        """Add claimed attempts of batch kinds."""
        full: list[Batch] = []
        with self._lock:
            for attempt in attempts:
                full += self._add(attempt)
            if self._open and not self.service.running and not self.service.stopping.is_set():
                self.service.start()
        self._run(full)
        self.service.wake()

    def _add(self, attempt: Attempt) -> list[Batch]:
        """Add an attempt, and return its batch if it is full now."""
        definition = attempt.definition
        assert isinstance(definition, BatchDefinition)
        if definition not in self._open:
            self._open[definition] = _Open([], monotonic() + definition.wait.total_seconds())
        collected = self._open[definition].attempts
        collected.append(attempt)
        if len(collected) < definition.max:
            return []
        del self._open[definition]
        return [Batch(definition, collected)]

    def _step(self) -> None:
        with self._lock:
            now = monotonic()
            due = [definition for definition, batch in self._open.items() if batch.until <= now]
            batches = [Batch(definition, self._open.pop(definition).attempts) for definition in due]
            left = min((batch.until - now for batch in self._open.values()), default=_IDLE)
        self._run(batches)
        self.service.pause(left)
