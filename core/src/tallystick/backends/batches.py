"""Checks of batches and filters. Backends share them, so that every backend rejects the same values."""

from collections.abc import Collection, Sequence
from typing import TypeVar
from uuid import UUID

from .. import validation
from ..claims import check
from ..errors import InvalidArgument
from ..outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from ..records import Claim, Filter, NewRecord
from ..safe_repr import safe_repr

T = TypeVar("T")


def records(values: Sequence[NewRecord], maximum: int) -> None:
    """Reject any value but a batch of new records."""
    _batch(values, "records", maximum, NewRecord)


def claims(values: Sequence[Claim], maximum: int) -> None:
    """Reject any value but a batch of claims with valid attempts."""
    _batch(values, "claims", maximum, Claim)
    for claim in values:
        check(claim)


def outcomes(values: Sequence[Outcome], maximum: int) -> None:
    """Reject any value but a batch of outcomes."""
    _batch(values, "outcomes", maximum, Complete, Retry, Discard, Release, Cancel)


def ids(values: Collection[UUID], maximum: int) -> None:
    """Reject any value but a batch of ids."""
    _batch(values, "ids", maximum, UUID)


def filter(value: Filter, maximum: int) -> None:
    """Reject any value but a filter, and a filter with too many ids."""
    if not isinstance(value, Filter):
        raise InvalidArgument(f"filter is {safe_repr(value)}; it must be a Filter, e.g. Filter(ids=[...])")
    _count(value.ids or (), maximum)


def after(value: UUID | None) -> None:
    """Reject an `after` of `list` that is not an id."""
    if value is not None and not isinstance(value, UUID):
        raise InvalidArgument(f"after is {safe_repr(value)}; it must be a uuid.UUID or None")


def _batch(values: Collection[object], what: str, maximum: int, *types: type) -> None:
    if isinstance(values, types):
        raise InvalidArgument(f"{what} is a single {type(values).__name__}; pass a list of it")
    _count(validation.collection(values, what, what), maximum)
    if not isinstance(values, Sequence) and UUID not in types:
        raise InvalidArgument(f"{what} is a {type(values).__name__}, which has no order; pass a list")
    if set(map(type, values)) <= {*types}:  # faster than a check of each item
        return
    for value in values:
        if not isinstance(value, types):
            allowed = " or ".join(type.__name__ for type in types)
            raise InvalidArgument(f"{what} has {safe_repr(value)}; each must be a {allowed}")


def _count(values: Collection[object], maximum: int) -> None:
    validation.within(len(values), 0, maximum, "the number of items in one call")
