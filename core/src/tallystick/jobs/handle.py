"""The return value of `enqueue`: which job it is, and the type of its result."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from ..contract.records import Inserted, OnConflict, Record
from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr

R_co = TypeVar("R_co", covariant=True)

_UUID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class Handle(Generic[R_co]):
    """A job in the store. If `duplicate`, no job was added: `record` is the job with the same id or unique key.

    `applied` is `replace` or `debounce` if the enqueue changed that job, and None otherwise.
    """

    record: Record
    duplicate: bool
    applied: OnConflict | None = None

    def __repr__(self) -> str:
        """Return one line: the kind, the id, the state at the enqueue, and whether no job was added."""
        note = f", {self.applied or 'duplicate'}" if self.duplicate else ""
        return f"<Handle {self.record.kind!r} {self.record.id} {self.record.state}{note}>"

    @property
    def id(self) -> UUID:
        """The job's id."""
        return self.record.id

    @classmethod
    def of(cls, inserted: Inserted) -> "Handle[R_co]":
        """Return a handle for one result of `Backend.insert`."""
        return cls(inserted.record, not inserted.created, inserted.applied)


def job_id(job: object) -> UUID:
    """Return the id of a job, given by its handle or its id. Reject any other value."""
    if isinstance(job, Handle):
        return job.id
    if isinstance(job, UUID):
        return job
    instead = f": uuid.UUID({job!r})" if isinstance(job, str) and len(job) == _UUID_LENGTH else ""
    raise InvalidArgument(
        f"{safe_repr(job)} is not a job id; pass a uuid.UUID{instead} or the handle that enqueue returned"
    )
