"""The return value of `enqueue`: which job it is, and the type of its result."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from .records import Inserted, Record

R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Handle(Generic[R_co]):
    """A job in the store. If `duplicate`, nothing was stored: `record` is the job with the same id or unique key."""

    record: Record
    duplicate: bool

    @property
    def id(self) -> UUID:
        """The job's id."""
        return self.record.id

    @classmethod
    def of(cls, inserted: Inserted) -> "Handle[R_co]":
        """Return a handle for one result of `Backend.insert`."""
        return cls(inserted.record, not inserted.created)
