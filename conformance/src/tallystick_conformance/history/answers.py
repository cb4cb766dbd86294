"""Check one result by itself: its length, its order, repeated items, and items that do not fit the arguments."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from uuid import UUID

from tallystick import Filter, Record

from ..contract.eligibility import claim_order, fits, meets
from .finding import Finding
from .operation import Operation

_ITEMS = {"insert": "records", "extend": "claims", "report_progress": "reports", "settle": "outcomes"}
"""The calls with one result per item, and the argument that has the items."""


def check_answer(operation: Operation) -> Iterator[Finding]:
    """Yield a finding for each error in the result of one operation."""
    answer, given = operation.answer, operation.given
    if operation.failed or operation.unknown:
        return
    if operation.call in _ITEMS and len(answer) != len(given[_ITEMS[operation.call]]):
        text = f"{operation.call} returned {len(answer)} results for {len(given[_ITEMS[operation.call]])} items"
        yield Finding.of("R8", text, operation)
    if operation.call == "purge" and answer > given["limit"]:
        yield Finding.of("R8", f"purge removed {answer} with a limit of {given['limit']}", operation)
    elif operation.call in ("claim", "rescue", "list", "cancel", "requeue", "delete", "update"):
        yield from _limited(operation)
    if operation.call == "insert":
        yield from _insert(operation)
    elif operation.call == "claim":
        yield from _claim(operation)
    elif operation.call == "list":
        yield from _list(operation)


def _insert(operation: Operation) -> Iterator[Finding]:
    for new, answer in zip(operation.given["records"], operation.answer, strict=False):
        unchanged = not answer.created and answer.applied is None and answer.record.id != new.id
        if unchanged and meets(answer.record, new):
            text = f"insert of {new.id} returned {answer.record.id}, which waits, without {new.on_conflict}"
            yield Finding.of("R7", text, operation)


def _limited(operation: Operation) -> Iterator[Finding]:
    ids = [item.id if isinstance(item, Record) else item for item in operation.answer]
    if len(ids) > operation.given["limit"]:
        text = f"{operation.call} returned {len(ids)} with a limit of {operation.given['limit']}"
        yield Finding.of("R8", text, operation)
    if len(set(ids)) < len(ids):
        yield Finding.of("R8", f"{operation.call} returned {_twice(ids)} more than once", operation)


def _twice(ids: Sequence[UUID]) -> UUID:
    return next(id for index, id in enumerate(ids) if id in ids[:index])


def _claim(operation: Operation) -> Iterator[Finding]:
    for record in operation.answer:
        if record.queue not in operation.given["queues"]:
            text = f"job {record.id} of queue {record.queue!r} was returned by a claim of other queues"
            yield Finding.of("R7", text, operation)
    for earlier, later in _pairs(operation.answer):
        if claim_order(earlier) > claim_order(later):
            yield Finding.of(
                "R10",
                f"one claim returned {earlier.id} before {later.id}, which comes first in claiming order",
                operation,
            )


def _list(operation: Operation) -> Iterator[Finding]:
    filter: Filter = operation.given["filter"]
    after: UUID | None = operation.given.get("after")
    for record in operation.answer:
        if not fits(filter, record):
            yield Finding.of("R7", f"list returned {record.id}, which does not fit its filter", operation)
        if after is not None and record.id.bytes >= after.bytes:
            yield Finding.of("R12", f"list returned {record.id}, which does not follow {after}", operation)
    for earlier, later in _pairs(operation.answer):
        if earlier.id.bytes <= later.id.bytes:
            yield Finding.of("R12", f"list returned {earlier.id} before {later.id}, which is newer", operation)


def _pairs(records: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    return pairwise(records)
