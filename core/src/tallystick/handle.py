"""What an enqueue answers: which job it is, and the type of its result."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from .records import Inserted, Record

R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Handle(Generic[R_co]):
    """A job in the store. `duplicate`: nothing was stored, since `record` is there with the same id or unique key."""

    record: Record
    duplicate: bool

    @property
    def id(self) -> UUID:
        """The job's id."""
        return self.record.id

    @classmethod
    def of(cls, inserted: Inserted) -> "Handle[R_co]":
        """Wrap a backend's answer."""
        return cls(inserted.record, not inserted.created)
