"""The edges of values: the last moment before and the first after, the largest numbers, the longest lists."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from random import Random
from uuid import UUID

from windlass import (
    LEASE_EXPIRED,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    Hold,
    InvalidArgument,
    NewRecord,
    Release,
    Retry,
    State,
)
from windlass.records import MAX_ATTEMPTS, PRIORITIES

from ..case import LEASE, NOW, Case, example

_ERROR = Failure("E", "m")
_LARGEST_LIMIT = 2**31 - 1
_MANY = 1_200
"""More than the hundreds and the thousand at which calls have been seen to stop by themselves."""


@example("TIME-01")
def due_at_the_moment(case: Case) -> None:
    """New, retried and released jobs are not due a tick before run_at, and are due at it and a tick after."""
    tick, due = case.capabilities.time_precision, NOW + LEASE
    for offset, count in ((-tick, 0), (timedelta(0), 3), (tick, 3)):
        retried, released = case.running().claim, case.running().claim
        case.backend.settle([Retry(retried, due, _ERROR), Release(released, due)], now=NOW)
        case.insert(NewRecord(kind="k", run_at=due))
        case.equal(count, case.backend.stats(now=due + offset).by_queue["default"].due)
        case.equal(count, len(case.claim(now=due + offset)))
        case.equal(3 - count, len(case.claim(now=due)))
        case.backend.rescue(limit=9, now=due + 2 * LEASE)
        case.backend.delete(Filter(), limit=9)


@example("TIME-02")
def expired_at_the_moment(case: Case) -> None:
    """A lease holds a tick before lease_until, and has run out at it and a tick after; so for an extended one."""
    tick = case.capabilities.time_precision
    for offset, count in ((-tick, 0), (timedelta(0), 1), (tick, 1)):
        claimed = case.running()
        case.equal(count, len(case.backend.rescue(limit=9, now=NOW + LEASE + offset)))
        if not count:
            case.equal([Hold.HELD], list(case.backend.extend([claimed.claim], lease=LEASE, now=NOW + LEASE)))
            case.equal(0, len(case.backend.rescue(limit=9, now=NOW + 2 * LEASE - tick)))
            case.equal(1, len(case.backend.rescue(limit=9, now=NOW + 2 * LEASE)))
        case.backend.delete(Filter(), limit=9)


@example("PURGE-01")
def purged_after_the_moment(case: Case) -> None:
    """A job that finished at `before` is kept, and is purged when `before` is a tick later; in each final state."""
    tick = case.capabilities.time_precision
    for state, outcome in ((State.COMPLETED, Complete), (State.DISCARDED, partial(Discard, error=_ERROR))):
        ended = case.running()
        case.backend.settle([outcome(ended.claim)], now=NOW + LEASE)
        for before, count in ((NOW + LEASE - tick, 0), (NOW + LEASE, 0), (NOW + LEASE + tick, 1)):
            case.equal(count, case.backend.purge([state], before=before, limit=9))


@example("CALL-01")
def the_largest_numbers_are_answered(case: Case) -> None:
    """Each call answers the largest limit, claims of attempts that never were, and the bounds of each number."""
    backend = case.backend
    case.insert(*(NewRecord(kind="k", priority=priority, max_attempts=most)
                  for priority in PRIORITIES for most in MAX_ATTEMPTS))  # fmt: skip
    claimed = case.claim(_LARGEST_LIMIT)
    case.equal([PRIORITIES[1]] * 2 + [PRIORITIES[0]] * 2, [record.priority for record in claimed])
    stale = [Claim(claimed[0].id, attempt) for attempt in (0, 2, 2**15, 2**31, 2**40)]
    case.equal([Hold.LOST] * 5, list(backend.extend(stale, lease=LEASE, now=NOW)))
    case.equal([False] * 5, list(backend.settle([Complete(claim) for claim in stale], now=NOW)))
    case.equal(4, len(backend.rescue(limit=_LARGEST_LIMIT, now=NOW + LEASE)))
    case.equal(4, len(backend.list(Filter(), limit=_LARGEST_LIMIT)))
    case.equal(2, len(backend.cancel(Filter(), limit=_LARGEST_LIMIT, now=NOW)))
    case.equal(4, len(backend.requeue(Filter(), limit=_LARGEST_LIMIT, now=NOW)))
    case.equal(0, backend.purge([State.CANCELLED], before=NOW + LEASE, limit=_LARGEST_LIMIT))
    case.equal(4, len(backend.delete(Filter(), limit=_LARGEST_LIMIT)))


@example("CLAIM-08")
def attempts_count_beyond_small_numbers(case: Case) -> None:
    """With each release both counts rise by one, past what one byte holds, and past two in `standard`."""
    times = 33_000 if case.profile.random else 300
    id = case.insert(NewRecord(kind="k", max_attempts=1))[0].id
    for attempt in range(1, times):
        [record] = case.raw.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)
        case.equal((attempt, attempt), (record.attempt, record.max_attempts))
        case.equal([True], list(case.raw.settle([Release(Claim(id, attempt))], now=NOW)))


@example("CLAIM-05")
def order_within_and_across_queues(case: Case) -> None:
    """Of many jobs each claim, however small, takes the first of all queues asked for."""
    random = Random(7)
    new = [
        NewRecord(
            kind="k",
            id=UUID(int=random.getrandbits(128)),
            queue=f"q{n % 3}",
            priority=random.choice((-1, 0, 0, 1)),
            run_at=NOW - timedelta(seconds=random.choice((0, 0, 1, 2))),
        )
        for n in range(48)
    ]
    case.insert(*new)
    expected = sorted(new, key=lambda job: (-job.priority, job.run_at, job.id.bytes))
    names = ["q2", "q0", "q1", "q0", "unknown"]
    got = [record.id for limit in (1, 2, 3, 5, 37, 9) for record in case.claim(limit, queues=names)]
    case.equal([job.id for job in expected], got)


@example("CLAIM-03")
def many_queues_are_asked_for(case: Case) -> None:
    """A claim from fifty queues, most of them unknown or repeated, takes from each of them and from no other."""
    case.insert(*(NewRecord(kind="k", queue=f"q{n}") for n in range(40)))
    names = [f"q{n}" for n in range(25)] * 2 + [f"unknown {n}" for n in range(25)]
    case.equal({f"q{n}" for n in range(25)}, {record.queue for record in case.claim(queues=names)})
    case.equal([], case.claim(queues=names))
    case.equal(15, case.backend.stats(now=NOW).by_state[State.PENDING])


@example("FILTER-01")
def filters_combine(case: Case) -> None:
    """Of records that differ in each field, the filters of every pair of fields find those that fit both."""
    case.insert(*(
        NewRecord(kind=kind, queue=queue, tags=tags)
        for kind in ("a", "b") for queue in ("x", "y") for tags in ((), ("t",), ("u", "t"), ("tt",))
    ))  # fmt: skip
    claimed = case.claim(5, queues=["x"])
    case.backend.settle([Complete(record.claim) for record in claimed[:2]], now=NOW)
    stored = list(case.backend.list(Filter(), limit=100))
    fields: tuple[dict[str, object], ...] = (
        {"ids": [record.id for record in stored[3:12]] * 2},
        {"states": [State.PENDING, State.COMPLETED]},
        {"states": [State.RUNNING]},
        {"kinds": ["a", "nobody's"]},
        {"queues": ["x", "x"]},
        {"tags": ["t"]},
        {"tags": ["u", "tt"]},
        {"tags": []},
    )
    for first in fields:
        for second in fields:
            filter = Filter(**{**first, **second})  # type: ignore[arg-type]
            case.equal([r.id for r in stored if filter.fits(r)], [r.id for r in case.backend.list(filter, limit=100)])


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


@example("BATCH-01")
def empty_filters_do_nothing(case: Case) -> None:
    """A call with a filter of no ids changes nothing and is answered with nothing, and so is a wait for no queue."""
    case.insert(NewRecord(kind="k"))
    backend, before, nothing = case.backend, case.contents(), Filter(ids=[])
    case.equal([], list(backend.list(nothing, limit=9)))
    case.equal([], list(backend.cancel(nothing, limit=9, now=NOW)))
    case.equal([], list(backend.requeue(nothing, limit=9, now=NOW)))
    case.equal([], list(backend.delete(nothing, limit=9)))
    case.equal(False, backend.wait([], timeout=timedelta(0)))
    case.equal(before, case.contents())


@example("QUERY-01")
def repeats_are_harmless(case: Case) -> None:
    """Get with an id thrice, and unknown ids between, returns each record once."""
    first, second = case.insert(NewRecord(kind="a", tags=("z", "a", "m")), NewRecord(kind="b"))
    nobody = UUID(int=5)
    got = case.backend.get([second.id, nobody, first.id, second.id, nobody, second.id])
    case.equal({first.id: first, second.id: second}, got)
    case.equal(("z", "a", "m"), got[first.id].tags)


@example("QUERY-03")
def pages_begin_after_any_id(case: Case) -> None:
    """`after` an id that is not stored, or no longer, begins below it; below the least there is nothing."""
    ids = [UUID(int=n << 100) for n in (1, 3, 5, 7)]
    case.insert(*(NewRecord(kind="k", id=id) for id in ids))
    for after, below in ((4, 2), (7, 3), (8, 4), (1, 0), (0, 0)):
        page = case.backend.list(Filter(), limit=9, after=UUID(int=after << 100))
        case.equal(list(reversed(ids[:below])), [record.id for record in page])
    case.backend.delete(Filter(ids=[ids[2]]), limit=1)
    case.equal([ids[1]], [record.id for record in case.backend.list(Filter(), limit=1, after=ids[2])])


@example("LEASE-05")
def holds_are_answered_in_order(case: Case) -> None:
    """Of claims that are current, flagged, stale and unknown, each has its own answer at its place."""
    case.insert(*(NewRecord(kind="k") for _ in range(3)))
    held, flagged, other = (record.claim for record in case.claim())
    case.backend.cancel(Filter(ids=[flagged.id]), limit=1, now=NOW)
    stale, unknown = Claim(held.id, 7), Claim(UUID(int=9), 1)
    claims = [stale, held, flagged, unknown, other, held, stale, flagged]
    expected = [Hold.LOST, Hold.HELD, Hold.CANCEL_REQUESTED, Hold.LOST, Hold.HELD, Hold.HELD, Hold.LOST,
                Hold.CANCEL_REQUESTED]  # fmt: skip
    case.equal(expected, list(case.backend.extend(claims, lease=LEASE, now=NOW)))


@example("SETTLE-07")
def outcomes_are_answered_in_order(case: Case) -> None:
    """Of outcomes that are stale, current, repeated and unknown, each has its answer, and all current are applied."""
    case.insert(*(NewRecord(kind="k") for _ in range(3)))
    first, second, third = (record.claim for record in case.claim())
    claims = [Claim(first.id, 7), first, Claim(UUID(int=9), 1), second, first, third, third]
    expected = [False, True, False, True, False, True, False]
    case.equal(expected, list(case.backend.settle([Complete(claim) for claim in claims], now=NOW)))
    case.equal(3, case.backend.stats(now=NOW).by_state[State.COMPLETED])


@example("INSERT-03")
def inserts_are_answered_in_order(case: Case) -> None:
    """Of new jobs and duplicates, with ids in no order, each has its own answer at its place."""
    known = case.insert(NewRecord(kind="known", id=UUID(int=5), unique_key="key"))[0]
    new = [
        NewRecord(kind="a", id=UUID(int=9)),
        NewRecord(kind="b", id=UUID(int=7), unique_key="key"),
        NewRecord(kind="c", id=UUID(int=1)),
        NewRecord(kind="d", id=known.id),
        NewRecord(kind="e", id=UUID(int=3)),
    ]
    answers = case.backend.insert(new, now=NOW)
    expected = [("a", True), ("known", False), ("c", True), ("known", False), ("e", True)]
    case.equal(expected, [(answer.record.kind, answer.created) for answer in answers])


@example("UNIQUE-05")
def no_key_is_no_key(case: Case) -> None:
    """Any number of jobs without a key are stored, in one batch and in several."""
    for _ in range(2):
        answers = case.backend.insert([NewRecord(kind="k") for _ in range(3)], now=NOW)
        case.equal([(True, None)] * 3, [(answer.created, answer.record.unique_key) for answer in answers])


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


@example("CLAIM-09")
def leases_are_exact(case: Case) -> None:
    """A lease ends a second and a half, or a hundred years, after now, as claimed and as extended."""
    for lease in (timedelta(seconds=1.5), timedelta(days=36_500)):
        case.insert(NewRecord(kind="k"))
        record = case.only(case.backend.claim(["default"], limit=1, worker="w", lease=lease, now=NOW))
        case.equal(NOW + lease, record.lease_until)
        case.backend.extend([record.claim], lease=lease, now=NOW + LEASE)
        case.equal(NOW + LEASE + lease, case.stored(record).lease_until)


@example("RESCUE-02")
def a_rescue_tells_of_the_latest_error(case: Case) -> None:
    """A job that failed before, and was then rescued, has the rescue's error, and so has one that it ends."""
    for most in (9, 2):
        record = case.running(max_attempts=most)
        case.backend.settle([Retry(record.claim, NOW, _ERROR)], now=NOW)
        case.claim()
        case.only(case.backend.rescue(limit=1, now=NOW + LEASE))
        case.equal(LEASE_EXPIRED, case.stored(record).last_error)
        case.backend.delete(Filter(), limit=1)
