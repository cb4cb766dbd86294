"""Warn about queues that a worker does not serve, where jobs would wait unnoticed."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..contract.records import NewRecord
from ..jobs.definition import Definition
from ..messages.safe_logging import safe_logger

logger = safe_logger("tallystick.worker")

_MOST_WARNINGS = 1_000


class ServedQueues:
    """The queues of one started worker, and its registered kinds."""

    def __init__(self, queues: Sequence[str], definitions: Mapping[str, Definition[Any, Any]]) -> None:
        self._served = frozenset(queues)
        self._warned: set[str] = set()
        self._definitions = definitions

    def report_start(self) -> None:
        """Log the kinds whose queue is not served, and the served queues that no registered kind uses."""
        queues_of = {kind: definition.options.queue for kind, definition in self._definitions.items()}
        elsewhere = sorted(
            f"{kind!r} (queue {queue!r})" for kind, queue in queues_of.items() if queue not in self._served
        )
        unused = sorted(map(repr, self._served - set(queues_of.values())))
        if elsewhere:
            logger.warning(
                "this worker serves %s, but not the queues of: %s; start a worker for them, or correct the queues",
                self._names(),
                ", ".join(elsewhere),
            )
        if unused and queues_of:
            logger.warning(
                "no registered kind uses %s, which this worker serves; correct the name, or import the module that "
                "registers its kinds",
                ", ".join(unused),
            )

    def check(self, records: Sequence[NewRecord]) -> None:
        """Log the queue of newly enqueued jobs, once per queue, if it is not served."""
        for record in records:
            if record.queue not in self._served and record.queue not in self._warned:
                self._warn(record)

    def _warn(self, record: NewRecord) -> None:
        if len(self._warned) >= _MOST_WARNINGS:
            return
        self._warned.add(record.queue)
        logger.warning(
            "a job of kind %r was enqueued in queue %r, which this runner's worker does not serve (it serves %s); "
            "the job waits until another worker serves that queue",
            record.kind,
            record.queue,
            self._names(),
        )

    def _names(self) -> str:
        return ", ".join(map(repr, sorted(self._served)))
