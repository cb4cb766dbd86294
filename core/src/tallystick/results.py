"""Reading a finished job's result, or the reason why it has none."""

from typing import Any

from .errors import JobCancelled, JobDiscarded, NotFinished
from .records import Record
from .registry import Registry
from .state import State


def read_result(registry: Registry, record: Record) -> Any:
    """Return what a job's handler returned, typed as its definition says.

    Raises:
        NotFinished, JobDiscarded, JobCancelled: there is no result (yet).
    """
    job = f"job {record.id} ({record.kind})"
    match record.state:
        case State.COMPLETED:
            return registry.named(record.kind).decode_result(record.result)
        case State.DISCARDED:
            error = record.last_error
            why = f": {error.type}: {error.message}" if error else ""
            raise JobDiscarded(f"{job} was discarded{why}", record)
        case State.CANCELLED:
            raise JobCancelled(f"{job} was cancelled", record)
        case _:
            raise NotFinished(f"{job} is {record.state}, attempt {record.attempt} of {record.max_attempts}")
