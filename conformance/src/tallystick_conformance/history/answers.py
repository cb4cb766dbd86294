"""What is wrong with one answer by itself: too long, twice the same, out of order, or not what was asked for."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from tallystick import Filter, Record

from .finding import Finding
from .operation import Operation

_ASKED = {"insert": "records", "extend": "claims", "settle": "outcomes"}
"""The calls that answer once for each item, and the argument that has the items."""


def judge(operation: Operation) -> Iterator[Finding]:
    """Yield what is wrong with an answer."""
    answer, given = operation.answer, operation.given
    if operation.failed or operation.unknown:
        return
    if operation.call in _ASKED and len(answer) != len(given[_ASKED[operation.call]]):
        text = f"{operation.call} answered {len(answer)} times for {len(given[_ASKED[operation.call]])} items"
        yield Finding.of("R8", text, operation)
    if operation.call == "purge" and answer > given["limit"]:
        yield Finding.of("R8", f"purge removed {answer} with a limit of {given['limit']}", operation)
    elif operation.call in ("claim", "rescue", "list", "cancel", "requeue", "delete"):
        yield from _limited(operation)
    if operation.call == "claim":
        yield from _claim(operation)
    elif operation.call == "list":
        yield from _list(operation)


def _limited(operation: Operation) -> Iterator[Finding]:
    ids = [item.id if isinstance(item, Record) else item for item in operation.answer]
    if len(ids) > operation.given["limit"]:
        text = f"{operation.call} answered with {len(ids)}, with a limit of {operation.given['limit']}"
        yield Finding.of("R8", text, operation)
    if len(set(ids)) < len(ids):
        yield Finding.of("R8", f"{operation.call} answered with {_twice(ids)} more than once", operation)


def _twice(ids: Sequence[UUID]) -> UUID:
    return next(id for index, id in enumerate(ids) if id in ids[:index])


def _claim(operation: Operation) -> Iterator[Finding]:
    for record in operation.answer:
        if record.queue not in operation.given["queues"]:
            text = f"job {record.id} of queue {record.queue!r} was handed out to a claim that did not ask for it"
            yield Finding.of("R7", text, operation)
    for earlier, later in _pairs(operation.answer):
        if place(earlier) > place(later):
            yield Finding.of(
                "R10", f"one claim handed out {earlier.id} before {later.id}, which precedes it", operation
            )


def place(record: Record) -> tuple[Any, ...]:
    """Return where a record stands in claiming order."""
    return (-record.priority, record.run_at, record.id.bytes)


def _list(operation: Operation) -> Iterator[Finding]:
    filter: Filter = operation.given["filter"]
    bound: UUID | None = operation.given.get("after")
    for record in operation.answer:
        if not filter.fits(record):
            yield Finding.of("R7", f"list answered with {record.id}, which does not fit its filter", operation)
        if bound is not None and record.id.bytes >= bound.bytes:
            yield Finding.of("R12", f"list answered with {record.id}, which is not after {bound}", operation)
    for earlier, later in _pairs(operation.answer):
        if earlier.id.bytes <= later.id.bytes:
            yield Finding.of("R12", f"list answered with {earlier.id} before {later.id}, which is newer", operation)


def _pairs(records: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    return pairwise(records)
