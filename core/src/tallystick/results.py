"""Read the result of a finished job, or explain why it has none."""

from typing import Any, assert_never

from .errors import JobCancelled, JobDiscarded, NotFinished
from .records import Record
from .registry import Registry
from .state import State


def read_result(registry: Registry, record: Record) -> Any:
    """Return a job's result, decoded as its definition declares.

    Raises:
        NotFinished, JobDiscarded, JobCancelled: the job has no result (yet).
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
        case State.PENDING | State.RUNNING | State.RETRYING:
            attempts = f"attempt {record.attempt} of {record.max_attempts}"
            raise NotFinished(f"{job} has not finished: it is {record.state}, {attempts}")
        case _:
            assert_never(record.state)
