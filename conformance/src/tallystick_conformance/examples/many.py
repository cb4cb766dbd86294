"""Large numbers: thousands of jobs, max_batch ids, a hundred queues, and the last item of a long batch."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from tallystick import Complete, Filter, InvalidArgument, NewRecord, State

from ..harness.case import LEASE, NOW, Case, example

_LARGEST_LIMIT = 2**31 - 1
_MANY = 1_200
"""Larger than the sizes, up to 1,000, at which backends have been seen to stop early or to split a batch."""


@example("CLAIM-03")
def many_queues_are_claimed_from(case: Case) -> None:
    """A claim with many unknown and repeated queue names takes jobs from every named queue and from no other."""
    case.insert(*(NewRecord(kind="k", queue=f"q{n}") for n in range(40)))
    names = [f"q{n}" for n in range(25)] * 2 + [f"unknown {n}" for n in range(25)]
    case.equal({f"q{n}" for n in range(25)}, {record.queue for record in case.claim(queues=names)})
    case.equal([], case.claim(queues=names))
    case.equal(15, case.backend.stats(now=NOW).by_state[State.PENDING])


@example("CLAIM-05")
def many_queues_are_one_order(case: Case) -> None:
    """A claim from more queues than a store may query at once returns the most urgent jobs of all of them."""
    names = [f"q{n}" for n in range(min(120, case.capabilities.max_batch))]
    case.insert(*(NewRecord(kind="k", queue=name, priority=n) for n, name in enumerate(names)))
    case.equal(names[:-4:-1], [record.queue for record in case.claim(3, queues=names)])


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


def _many(case: Case) -> int:
    size = min(_MANY, case.capabilities.max_batch)
    case.backend.insert([NewRecord(kind="k") for _ in range(size)], now=NOW)
    return size


@example("CLAIM-07")
def many_are_claimed_at_once(case: Case) -> None:
    """A claim with a large limit returns every due job."""
    size = _many(case)
    case.equal(size, len(case.claim(_LARGEST_LIMIT)))


@example("RESCUE-05")
def many_are_rescued_at_once(case: Case) -> None:
    """A rescue with a large limit rescues every expired job."""
    size = _many(case)
    case.claim(size)
    case.equal(size, len(case.backend.rescue(limit=_LARGEST_LIMIT, now=NOW + LEASE)))


@example("QUERY-02")
def many_are_listed_at_once(case: Case) -> None:
    """A list with a large limit returns every record, in order."""
    size = _many(case)
    ids = [record.id.bytes for record in case.backend.list(Filter(), limit=_LARGEST_LIMIT)]
    case.that(len(ids) == size and ids == sorted(ids, reverse=True), f"{size} records in order", f"{len(ids)}")


@example("STATS-04")
def many_are_counted(case: Case) -> None:
    """`stats` counts every due job, however many there are."""
    size = _many(case)
    case.equal((size, size, NOW), case.backend.stats(now=NOW).by_queue["default"][:3])


@example("CANCEL-04")
def many_are_cancelled_at_once(case: Case) -> None:
    """A cancel with a large limit cancels every job that fits."""
    size = _many(case)
    case.equal(size, len(set(case.backend.cancel(Filter(kinds=["k"]), limit=_LARGEST_LIMIT, now=NOW))))


@example("REQUEUE-05")
def many_are_requeued_at_once(case: Case) -> None:
    """A requeue with a large limit requeues every job that fits."""
    size = _many(case)
    case.backend.cancel(Filter(), limit=size, now=NOW)
    case.equal(size, len(set(case.backend.requeue(Filter(kinds=["k"]), limit=_LARGEST_LIMIT, now=NOW))))


@example("DELETE-02")
def many_are_deleted_at_once(case: Case) -> None:
    """A delete with a large limit removes every job that fits."""
    size = _many(case)
    case.equal(size, len(set(case.backend.delete(Filter(kinds=["k"]), limit=_LARGEST_LIMIT))))
    case.equal(0, case.backend.stats(now=NOW).total)


@example("PURGE-02")
def many_are_purged_at_once(case: Case) -> None:
    """A purge with a large limit removes every job that finished before the given time."""
    size = _many(case)
    case.backend.cancel(Filter(), limit=size, now=NOW)
    case.equal(size, case.backend.purge([State.CANCELLED], before=NOW + LEASE, limit=_LARGEST_LIMIT))


@example("BATCH-04")
def a_long_batch_is_rejected_whole(case: Case) -> None:
    """If the last item is invalid, insert and settle reject a long batch whole, even if the backend splits it."""
    size = min(_MANY, case.capabilities.max_batch)
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


@example("UNIQUE-02")
def the_ends_of_a_long_batch_meet(case: Case) -> None:
    """If the first and last records of a long batch share an id or a unique key, insert stores only the first."""
    size = min(_MANY, case.capabilities.max_batch)
    first = NewRecord(kind="first", unique_key="key")
    again, rival = NewRecord(kind="again", id=first.id), NewRecord(kind="rival", unique_key="key")
    batch = [first, *(NewRecord(kind="k") for _ in range(size - 3)), again, rival]
    answers = case.raw.insert(batch, now=NOW)
    case.equal([True, False, False], [answers[n].created for n in (0, -2, -1)])
    case.equal(["first"] * 3, [answers[n].record.kind for n in (0, -2, -1)])
    case.equal(size - 2, case.raw.stats(now=NOW).total)


@example("FILTER-01")
def long_filters_are_read_to_their_end(case: Case) -> None:
    """A filter with more than a thousand kinds, queues or tags finds a record that fits only the last of them."""
    record = case.insert(NewRecord(kind="last", queue="last", tags=("other", "last")))[0]
    case.insert(NewRecord(kind="k", queue="q", tags=("t",)))
    names = [f"unknown {n % 700}" for n in range(_MANY)] + ["last"]
    for filter in (Filter(kinds=names), Filter(queues=names), Filter(tags=names)):
        found = [found.id for found in case.raw.list(filter, limit=9)]
        case.that(found == [record.id], "the record that the last name fits", found)
    case.equal([record.id], list(case.raw.cancel(Filter(kinds=names, tags=names), limit=9, now=NOW)))


@example("CLAIM-03")
def a_claim_reads_its_queues_to_their_end(case: Case) -> None:
    """A claim from more than a thousand queues also returns jobs of the last queue."""
    case.insert(NewRecord(kind="k", queue="last"), NewRecord(kind="k", queue="another"))
    names = [*(f"unknown {n}" for n in range(_MANY)), "last"]
    claimed = case.raw.claim(names, limit=9, worker="w", lease=LEASE, now=NOW)
    case.equal(["last"], [record.queue for record in claimed])
