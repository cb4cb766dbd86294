"""What can be said of a job when it is enqueued, beside its payload."""

from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from .definition import Definition
from .errors import InvalidArgument
from .records import NewRecord, UniqueUntil


class BatchOptions(TypedDict, total=False):
    """What holds for all jobs of a batch; what is not given is as the kind's definition says.

    `transaction` is the caller's own, to take part in; see `Backend.insert`.
    """

    queue: str
    priority: int
    max_attempts: int
    tags: tuple[str, ...]
    transaction: object


class EnqueueOptions(BatchOptions, total=False):
    """What holds for one job. An `id` of one's own makes a repeated enqueue harmless; for the rest see `NewRecord`."""

    id: UUID
    unique_key: str
    unique_until: UniqueUntil


def new_record(
    definition: Definition[Any, Any],
    payload: bytes,
    run_at: datetime | timedelta | None,
    options: BatchOptions | EnqueueOptions,
) -> NewRecord:
    """Return the record of a job to insert: as the options say, else as its definition does.

    Raises:
        InvalidArgument: an option has a value that cannot be stored, or does not exist.
    """
    defaults = definition.options
    given: dict[str, Any] = {
        "queue": defaults.queue,
        "priority": defaults.priority,
        "max_attempts": defaults.max_attempts,
        "tags": defaults.tags,
        **options,
    }
    try:
        return NewRecord(kind=definition.kind, payload=payload, run_at=run_at, **given)
    except TypeError as exc:
        raise InvalidArgument(f"{sorted(options)} has an option that no job has: {exc}") from exc
