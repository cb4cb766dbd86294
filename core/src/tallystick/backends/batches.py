"""Checks of batches and filters. Backends share them, so that every backend rejects the same values."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from ..contract import validation
from ..contract.claims import check
from ..contract.filters import Filter
from ..contract.outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from ..contract.progress_report import ProgressReport
from ..contract.records import Claim, NewRecord
from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr

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


def reports(values: Sequence[ProgressReport], maximum: int) -> None:
    """Reject any value but a batch of reports."""
    _batch(values, "reports", maximum, ProgressReport)


def ids(values: Collection[UUID], maximum: int) -> None:
    """Reject any value but a batch of ids."""
    _batch(values, "ids", maximum, UUID)


def filter(value: Filter, maximum: int) -> None:
    """Reject any value but a filter, and a filter with too many ids."""
    if not isinstance(value, Filter):
        raise InvalidArgument(f"filter is {safe_repr(value)}; it must be a Filter, e.g. Filter(ids=[...])")
    _count(value.ids or (), maximum)


def after(value: object) -> UUID | None:
    """Return an `after` of the order `id`. Reject any value but an id or None."""
    if value is not None and not isinstance(value, UUID):
        raise InvalidArgument(f"after is {safe_repr(value)}; it must be a uuid.UUID or None")
    return value


def position(value: object, order: str) -> tuple[datetime, UUID]:
    """Return an `after` of an order by time. Reject any value but a pair of an aware datetime and an id."""
    match value:
        case (datetime() as moment, UUID() as id):
            return validation.utc(moment, "the time in after"), id
    raise InvalidArgument(
        f"after is {safe_repr(value)}; with order={order!r} it must be the pair ({order}, id) of the last record"
    )


def items(values: Sequence[object], what: str, maximum: int, type: type) -> None:
    """Reject any value but a batch of items of one type."""
    _batch(values, what, maximum, type)


def _batch(values: Collection[object], what: str, maximum: int, *types: type) -> None:
    if type(values) in (list, tuple) and len(values) <= maximum and {*types}.issuperset(map(type, values)):
        return  # each check below would pass
    if isinstance(values, types):
        raise InvalidArgument(f"{what} is a single {type(values).__name__}; pass a list of it")
    _count(validation.collection(values, what, what), maximum)
    if not isinstance(values, Sequence) and UUID not in types:
        raise InvalidArgument(f"{what} is a {type(values).__name__}, which has no order; pass a list")
    for value in values:
        if not isinstance(value, types):
            allowed = " or ".join(type.__name__ for type in types)
            raise InvalidArgument(f"{what} has {safe_repr(value)}; each must be a {allowed}")


def _count(values: Collection[object], maximum: int) -> None:
    validation.within(len(values), 0, maximum, "the number of items in one call")
