"""Many at once: thousands of jobs, max_batch ids, a hundred queues."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from windlass import Filter, InvalidArgument, NewRecord, State

from ..case import LEASE, NOW, Case, example

_LARGEST_LIMIT = 2**31 - 1
_MANY = 1_200
"""More than the hundreds and the thousand at which calls have been seen to stop by themselves."""


@example("CLAIM-03")
def many_queues_are_asked_for(case: Case) -> None:
    """A claim from fifty queues, most of them unknown or repeated, takes from each of them and from no other."""
    case.insert(*(NewRecord(kind="k", queue=f"q{n}") for n in range(40)))
    names = [f"q{n}" for n in range(25)] * 2 + [f"unknown {n}" for n in range(25)]
    case.equal({f"q{n}" for n in range(25)}, {record.queue for record in case.claim(queues=names)})
    case.equal([], case.claim(queues=names))
    case.equal(15, case.backend.stats(now=NOW).by_state[State.PENDING])


@example("CLAIM-05")
def many_queues_are_one_order(case: Case) -> None:
    """A claim from more queues than a store asks for at once takes the most urgent of them all."""
    names = [f"q{n}" for n in range(min(120, case.capabilities.max_batch))]
    case.insert(*(NewRecord(kind="k", queue=name, priority=n) for n, name in enumerate(names)))
    case.equal(names[:-4:-1], [record.queue for record in case.claim(3, queues=names)])


@example("BATCH-03")
def too_many_ids_are_refused(case: Case) -> None:
    """Get, and each call with a filter, refuses max_batch + 1 ids."""
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


@example("BATCH-02")
def many_ids_are_accepted(case: Case) -> None:
    """Get and each call with a filter take max_batch ids, and find those that are there."""
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
    """Get takes exactly max_batch ids, whatever the profile, repeats among them."""
    record = case.insert(NewRecord(kind="k"))[0]
    case.equal({record.id: record}, case.raw.get([record.id] * case.capabilities.max_batch))


def _many(case: Case) -> int:
    size = min(_MANY, case.capabilities.max_batch)
    case.backend.insert([NewRecord(kind="k") for _ in range(size)], now=NOW)
    return size


@example("CLAIM-07")
def many_are_claimed_at_once(case: Case) -> None:
    """A claim with a large limit takes as many as there are."""
    size = _many(case)
    case.equal(size, len(case.claim(_LARGEST_LIMIT)))


@example("RESCUE-05")
def many_are_rescued_at_once(case: Case) -> None:
    """A rescue with a large limit takes every expired job."""
    size = _many(case)
    case.claim(size)
    case.equal(size, len(case.backend.rescue(limit=_LARGEST_LIMIT, now=NOW + LEASE)))


@example("QUERY-02")
def many_are_listed_at_once(case: Case) -> None:
    """A list with a large limit is whole, and in order."""
    size = _many(case)
    ids = [record.id.bytes for record in case.backend.list(Filter(), limit=_LARGEST_LIMIT)]
    case.that(len(ids) == size and ids == sorted(ids, reverse=True), f"{size} records in order", f"{len(ids)}")


@example("CANCEL-04")
def many_are_cancelled_at_once(case: Case) -> None:
    """A cancel with a large limit reaches all that fit."""
    size = _many(case)
    case.equal(size, len(set(case.backend.cancel(Filter(kinds=["k"]), limit=_LARGEST_LIMIT, now=NOW))))


@example("REQUEUE-05")
def many_are_requeued_at_once(case: Case) -> None:
    """A requeue with a large limit reaches all that fit."""
    size = _many(case)
    case.backend.cancel(Filter(), limit=size, now=NOW)
    case.equal(size, len(set(case.backend.requeue(Filter(kinds=["k"]), limit=_LARGEST_LIMIT, now=NOW))))


@example("DELETE-02")
def many_are_deleted_at_once(case: Case) -> None:
    """A delete with a large limit removes all that fit."""
    size = _many(case)
    case.equal(size, len(set(case.backend.delete(Filter(kinds=["k"]), limit=_LARGEST_LIMIT))))
    case.equal(0, case.backend.stats(now=NOW).total)


@example("PURGE-02")
def many_are_purged_at_once(case: Case) -> None:
    """A purge with a large limit removes all that finished before."""
    size = _many(case)
    case.backend.cancel(Filter(), limit=size, now=NOW)
    case.equal(size, case.backend.purge([State.CANCELLED], before=NOW + LEASE, limit=_LARGEST_LIMIT))
