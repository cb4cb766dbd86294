"""Batches that are empty, repeated, large or too large, and batches with one invalid item."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

from tallystick import Claim, Complete, Failure, Filter, InvalidArgument, NewRecord, Release, Retry, State

from ..harness.case import LEASE, NOW, Case, example

UNKNOWN_ID = UUID(int=2**127)

EVER = timedelta(days=366 * 9_000)
"""A delay that ends after the year 9999."""


@example("BATCH-01")
def empty_batches_do_nothing(case: Case) -> None:
    """Each call with an empty batch returns an empty result and changes nothing. A claim from no queue finds no job."""
    case.insert(NewRecord(kind="k"))
    backend, before = case.backend, case.contents()
    case.equal([], list(backend.insert([], now=NOW)))
    case.equal([], list(backend.extend([], lease=LEASE, now=NOW)))
    case.equal([], list(backend.settle([], now=NOW)))
    case.equal({}, backend.get([]))
    case.equal([], case.claim(queues=[]))
    case.equal(0, backend.purge([], before=NOW, limit=1))
    case.equal(before, case.contents())


@example("INSERT-05")
def inserts_can_be_repeated(case: Case) -> None:
    """A repeated insert stores nothing and returns the records in their current state."""
    batch = [NewRecord(kind="k", unique_key=f"key {n}") for n in range(4)]
    case.insert(*batch)
    done, running = case.claim(2)
    case.backend.settle([Complete(done.claim, b"result")], now=NOW)
    stored = case.backend.get([new.id for new in batch])
    answers = case.backend.insert(batch, now=NOW + LEASE)
    case.equal([False] * 4, [answer.created for answer in answers])
    case.equal([stored[new.id] for new in batch], [answer.record for answer in answers])
    case.equal(4, len(case.backend.list(Filter(), limit=100)))
    case.equal(running, case.stored(running))


@example("INSERT-04")
def a_removed_id_can_be_inserted_again(case: Case) -> None:
    """After a job is deleted or purged, an insert with its id stores a new job."""
    new = NewRecord(kind="k", unique_key="key")
    case.insert(new)
    case.backend.delete(Filter(), limit=1)
    record = case.only(case.insert(new))
    case.equal((State.PENDING, record), (record.state, case.stored(record)))
    case.backend.settle([Complete(case.only(case.claim()).claim)], now=NOW)
    case.backend.purge([State.COMPLETED], before=NOW + LEASE, limit=1)
    case.equal(True, case.backend.insert([new], now=NOW)[0].created)
    case.equal([new.id], [record.id for record in case.claim()])


@example("BATCH-02")
def large_batches_are_accepted(case: Case) -> None:
    """insert, claim, extend, settle and get accept a large batch and return its results in order."""
    size = min(case.capabilities.max_batch, case.profile.large_batch)
    batch = [NewRecord(kind="k", queue="q", tags=("t",)) for _ in range(size)]
    ids = [new.id for new in batch]
    answers = case.backend.insert(batch, now=NOW)
    case.that([answer.record.id for answer in answers] == ids, "results in the order of the records", "another order")
    claims = [record.claim for record in case.claim(size, queues=["q"])]
    case.equal(size, len(claims))
    case.equal(size, sum(hold == "held" for hold in case.backend.extend(claims, lease=LEASE, now=NOW)))
    odd = [claim if n % 2 else Claim(claim.id, 7) for n, claim in enumerate(claims)]
    applied = list(case.backend.settle([Complete(claim) for claim in odd], now=NOW))
    case.that(applied == [n % 2 == 1 for n in range(size)], "every second outcome applied", "other outcomes applied")
    case.equal(size, len(case.backend.get(ids)))


@example("BATCH-03")
def too_large_batches_are_rejected(case: Case) -> None:
    """insert, extend and settle reject max_batch + 1 items."""
    backend, size = case.backend, case.capabilities.max_batch + 1
    claim = case.running().claim
    calls: tuple[Callable[[], object], ...] = (
        lambda: backend.insert([NewRecord(kind="k", id=UUID(int=n)) for n in range(size)], now=NOW),
        lambda: backend.extend([claim] * size, lease=LEASE, now=NOW),
        lambda: backend.settle([Complete(claim)] * size, now=NOW),
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
        Complete(Claim(UNKNOWN_ID, 1), too_large),
        Release(other, EVER),
        Retry(other, EVER, Failure("E", "m")),
    ):
        outcomes = [Complete(claim, b"first"), last]
        case.refuses(InvalidArgument, partial(case.backend.settle, outcomes, now=NOW))
    case.equal(True, case.backend.insert(batch[:1], now=NOW)[0].created)


@example("UNIQUE-02")
def one_batch_has_one_holder(case: Case) -> None:
    """If a batch repeats an id or a unique key, insert stores the first record and returns it for the others."""
    twice = NewRecord(kind="first")
    keyed = [NewRecord(kind=f"k{n}", unique_key="key") for n in range(3)]
    again = NewRecord(kind="second", id=twice.id)
    answers = case.backend.insert([twice, keyed[0], again, *keyed[1:]], now=NOW)
    case.equal([True, True, False, False, False], [answer.created for answer in answers])
    case.equal(["first", "k0", "first", "k0", "k0"], [answer.record.kind for answer in answers])
    case.equal(2, len(case.backend.list(Filter(), limit=100)))
