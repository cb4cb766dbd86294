"""Batches that are empty, repeated, large or too large, and batches with one invalid item."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

from tallystick import (
    Claim,
    Complete,
    Filter,
    InvalidArgument,
    NewRecord,
    ProgressReport,
    Release,
    Retry,
    State,
)

from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR, MANY

_UNKNOWN_ID = UUID(int=2**127)
_EVER = timedelta(days=366 * 9_000)
"""A delay that ends after the year 9999."""


@example("BATCH-01")
def empty_batches_do_nothing(case: Case) -> None:
    """Each call with an empty batch returns an empty result and changes nothing. A claim from no queue finds no job."""
    case.insert(NewRecord(kind="k"))
    backend, before = case.backend, case.contents()
    case.equal([], list(backend.insert([], now=NOW)))
    case.equal([], list(backend.extend([], lease=LEASE, now=NOW)))
    case.equal([], list(backend.report_progress([], now=NOW)))
    case.equal([], list(backend.settle([], now=NOW)))
    case.equal([], list(backend.restore([], now=NOW)))
    case.equal({}, backend.get([]))
    case.equal([], case.claim(queues=[]))
    case.equal(0, backend.purge([], before=NOW, limit=1))
    case.equal(before, case.contents())


@example("BATCH-01")
def empty_filters_do_nothing(case: Case) -> None:
    """A call with a filter of no ids changes nothing and returns nothing. A wait for no queue returns False."""
    case.insert(NewRecord(kind="k"))
    backend, before, nothing = case.backend, case.contents(), Filter(ids=[])
    case.equal([], list(backend.list(nothing, limit=9)))
    case.equal([], list(backend.cancel(nothing, limit=9, now=NOW)))
    case.equal([], list(backend.requeue(nothing, limit=9, now=NOW)))
    case.equal([], list(backend.delete(nothing, limit=9)))
    case.equal(False, backend.wait([], timeout=timedelta(0)))
    case.equal(before, case.contents())


@example("BATCH-02")
def large_batches_are_accepted(case: Case) -> None:
    """insert, claim, extend, report_progress, settle and get accept a large batch and return its results in order."""
    size = min(case.capabilities.max_batch, case.profile.large_batch)
    batch = [NewRecord(kind="k", queue="q", tags=("t",)) for _ in range(size)]
    ids = [new.id for new in batch]
    answers = case.backend.insert(batch, now=NOW)
    case.that([answer.record.id for answer in answers] == ids, "results in the order of the records", "another order")
    claims = [record.claim for record in case.claim(size, queues=["q"])]
    case.equal(size, len(claims))
    case.equal(size, sum(hold == "held" for hold in case.backend.extend(claims, lease=LEASE, now=NOW)))
    reports = [ProgressReport(claim, 0.5) for claim in claims]
    case.equal(size, sum(case.backend.report_progress(reports, now=NOW)))
    odd = [claim if n % 2 else Claim(claim.id, 7) for n, claim in enumerate(claims)]
    applied = list(case.backend.settle([Complete(claim) for claim in odd], now=NOW))
    case.that(applied == [n % 2 == 1 for n in range(size)], "every second outcome applied", "other outcomes applied")
    case.equal(size, len(case.backend.get(ids)))


@example("BATCH-02")
def many_ids_are_accepted(case: Case) -> None:
    """get, and each call with a filter, accepts a large number of ids and finds the stored records among them."""
    size = min(case.capabilities.max_batch, case.profile.large_batch)
    found = [record.id for record in case.insert(*(NewRecord(kind="k") for _ in range(3)))]
    ids = [UUID(int=n) for n in range(size - 3)] + found
    filter = Filter(ids=ids)
    case.equal(set(found), set(case.backend.get(ids)))
    case.equal(set(found), {record.id for record in case.backend.list(filter, limit=9)})
    case.equal(set(found), set(case.backend.cancel(filter, limit=9, now=NOW)))
    case.equal(set(found), set(case.backend.requeue(filter, limit=9, now=NOW)))
    case.equal(set(found), set(case.backend.delete(filter, limit=9)))


@example("BATCH-02")
def as_many_ids_as_declared_are_accepted(case: Case) -> None:
    """`get` accepts exactly max_batch ids under every profile, repeats included."""
    record = case.insert(NewRecord(kind="k"))[0]
    case.equal({record.id: record}, case.raw.get([record.id] * case.capabilities.max_batch))


@example("BATCH-03")
def too_large_batches_are_rejected(case: Case) -> None:
    """insert, extend, report_progress, settle and restore reject max_batch + 1 items."""
    backend, size = case.backend, case.capabilities.max_batch + 1
    record = case.running()
    claim = record.claim
    calls: tuple[Callable[[], object], ...] = (
        lambda: backend.insert([NewRecord(kind="k", id=UUID(int=n)) for n in range(size)], now=NOW),
        lambda: backend.extend([claim] * size, lease=LEASE, now=NOW),
        lambda: backend.report_progress([ProgressReport(claim)] * size, now=NOW),
        lambda: backend.settle([Complete(claim)] * size, now=NOW),
        lambda: backend.restore([record] * size, now=NOW),
    )
    for call in calls:
        case.refuses(InvalidArgument, call)


@example("BATCH-03")
def too_many_ids_are_rejected(case: Case) -> None:
    """get, and each call with a filter, rejects max_batch + 1 ids."""
    case.running()
    case.insert(NewRecord(kind="k"))
    ids = [UUID(int=n) for n in range(case.capabilities.max_batch + 1)]
    backend, filter = case.backend, Filter(ids=ids)
    calls: tuple[Callable[[], object], ...] = (
        partial(backend.get, ids),
        partial(backend.list, filter, limit=9),
        partial(backend.cancel, filter, limit=9, now=NOW),
        partial(backend.requeue, filter, limit=9, now=NOW),
        partial(backend.delete, filter, limit=9),
    )
    for call in calls:
        case.refuses(InvalidArgument, call)


@example("BATCH-04")
def a_rejected_batch_changes_nothing(case: Case) -> None:
    """If the last item is invalid, insert and settle reject the whole batch and leave no queue or unique key."""
    claim, other = case.running().claim, case.running().claim
    too_large = b"x" * (case.capabilities.max_payload_bytes + 1)
    batch = [NewRecord(kind="k", queue="new", unique_key="key"), NewRecord(kind="k", payload=too_large)]
    case.refuses(InvalidArgument, lambda: case.backend.insert(batch, now=NOW))
    for last in (
        Complete(Claim(_UNKNOWN_ID, 1), too_large),
        Release(other, _EVER),
        Retry(other, _EVER, ERROR),
    ):
        outcomes = [Complete(claim, b"first"), last]
        case.refuses(InvalidArgument, partial(case.backend.settle, outcomes, now=NOW))
    case.equal(True, case.backend.insert(batch[:1], now=NOW)[0].created)


@example("BATCH-04")
def a_long_batch_is_rejected_whole(case: Case) -> None:
    """If the last item is invalid, insert and settle reject a long batch whole, even if the backend splits it."""
    size = min(MANY, case.capabilities.max_batch)
    too_large = b"x" * (case.capabilities.max_payload_bytes + 1)
    new = [NewRecord(kind="k", queue="new") for _ in range(size - 1)]
    bad = NewRecord(kind="k", payload=too_large)
    _require_rejected(case, partial(case.raw.insert, [*new, bad], now=NOW))
    case.equal((0, []), (case.raw.stats(now=NOW).total, list(case.raw.queues())))
    case.raw.insert([*new, NewRecord(kind="k", queue="new")], now=NOW)
    outcomes = [Complete(record.claim) for record in case.claim(size, queues=["new"])]
    outcomes[-1] = Complete(outcomes[-1].claim, too_large)
    _require_rejected(case, partial(case.raw.settle, outcomes, now=NOW))
    case.equal(size, case.raw.stats(now=NOW).by_state[State.RUNNING])


def _require_rejected(case: Case, call: Callable[[], object]) -> None:
    """Require InvalidArgument. Unlike `Case.refuses`, build no message that lists every record."""
    try:
        call()
    except InvalidArgument:
        return
    case.that(False, "InvalidArgument for the last item of a long batch", "a result")
