"""Select records, and order pages of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import UUID

from ..errors import InvalidArgument
from ..messages.advice import STATES, near, unknown_fields
from ..messages.safe_repr import safe_repr
from . import validation
from .failure import Failure
from .records import Record
from .state import State

Order = Literal["id", "finished_at", "run_at"]
"""The order of a page: the newest ids first, the latest `finished_at` first, or the earliest `run_at` first."""

ORDERS: tuple[Order, ...] = ("id", "finished_at", "run_at")

MOST_COUNTED = 1_000_000
"""The highest `at_most` of a count."""

_NAMES = ("kinds", "queues", "tags", "error_types", "workers", "unique_keys")
_TIMES = ("created_since", "created_until", "finished_since", "finished_until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Selects the records that match every given field. None matches all records; an empty collection matches none."""

    ids: Sequence[UUID] | None = None
    states: Sequence[State] | None = None
    kinds: Sequence[str] | None = None
    queues: Sequence[str] | None = None
    tags: Sequence[str] | None = None
    """Matches records with at least one of these tags."""
    error_types: Sequence[str] | None = None
    """Matches records whose `last_error` has one of these types."""
    error_text: str | None = None
    """Matches records whose `last_error` contains this text in its type or message. Case matters.

    1 to 255 characters. Only backends that declare `error_text` support it.
    """
    workers: Sequence[str] | None = None
    """Matches records whose latest attempt ran on one of these workers."""
    unique_keys: Sequence[str] | None = None
    """Matches records with one of these unique keys, even if they no longer hold it."""
    created_since: datetime | None = None
    created_until: datetime | None = None
    """Matches records with created_since <= created_at < created_until."""
    finished_since: datetime | None = None
    finished_until: datetime | None = None
    """Matches records with finished_since <= finished_at < finished_until, but no unfinished job."""

    if not TYPE_CHECKING:

        def __new__(cls, *args: Any, **fields: Any) -> Self:
            """Reject an unknown field, and suggest a similar one."""
            if wrong := unknown_fields("a filter", fields, cls.__dataclass_fields__):
                raise InvalidArgument(wrong)
            return object.__new__(cls)  # `slots=True` replaces the class, so that super() finds another

    def __post_init__(self) -> None:
        if self.ids is not None:
            self._set("ids", tuple(map(_id, validation.collection(self.ids, "ids", "ids"))))
        if self.states is not None:
            self._set("states", tuple(map(_state, validation.collection(self.states, "states", "states"))))
        for name in _NAMES:
            if (values := getattr(self, name)) is not None:
                self._set(name, validation.names(values, name))
        if self.error_text is not None:
            validation.text(self.error_text, "error_text")
        for name in _TIMES:
            if (value := getattr(self, name)) is not None:
                self._set(name, validation.utc(value, name))
        _check_range(self.created_since, self.created_until, "created")
        _check_range(self.finished_since, self.finished_until, "finished")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def fits(self, record: Record) -> bool:
        """Return whether a record matches."""
        return (
            (self.ids is None or record.id in self.ids)
            and (self.states is None or record.state in self.states)
            and (self.kinds is None or record.kind in self.kinds)
            and (self.queues is None or record.queue in self.queues)
            and (self.tags is None or not set(self.tags).isdisjoint(record.tags))
            and (self.workers is None or record.worker in self.workers)
            and (self.unique_keys is None or record.unique_key in self.unique_keys)
            and self._fits_error(record.last_error)
            and _is_within(record.created_at, self.created_since, self.created_until)
            and _is_within(record.finished_at, self.finished_since, self.finished_until)
        )

    def _fits_error(self, error: Failure | None) -> bool:
        if error is None:
            return self.error_types is None and self.error_text is None
        return (self.error_types is None or error.type in self.error_types) and (
            self.error_text is None or self.error_text in error.type or self.error_text in error.message
        )


def _id(value: UUID) -> UUID:
    if not isinstance(value, UUID):
        raise InvalidArgument(f"ids has {safe_repr(value)}; it must be a uuid.UUID")
    return value


def _state(value: State) -> State:
    try:
        return State(value)
    except ValueError:
        raise InvalidArgument(
            f"states has {safe_repr(value)}; {near(value, list(State), STATES)}the states are: {', '.join(State)}"
        ) from None


def _check_range(since: datetime | None, until: datetime | None, what: str) -> None:
    if since is not None and until is not None:
        validation.in_order(since, until, f"{what}_since", f"{what}_until")


def _is_within(moment: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    if moment is None:
        return since is None and until is None
    return (since is None or since <= moment) and (until is None or moment < until)
