"""Claims: queues, pauses, order, numbers of jobs, attempts and leases."""

from datetime import UTC, datetime, timedelta
from math import inf
from random import Random
from time import monotonic
from uuid import UUID

from tallystick import Claim, Complete, Filter, InvalidArgument, NewRecord, Release, Retry, State

from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR, LARGEST_LIMIT, LONG_DUE, MANY, REREADS, claim_kinds, insert_many

_PATIENCE = 1.5
"""Seconds for which the `quick` profile counts attempts on a slow store."""

_LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)


@example("CLAIM-03")
def many_queues_are_claimed_from(case: Case) -> None:
    """A claim with many unknown and repeated queue names takes jobs from every named queue and from no other."""
    case.insert(*(NewRecord(kind="k", queue=f"q{n}") for n in range(40)))
    names = [f"q{n}" for n in range(25)] * 2 + [f"unknown {n}" for n in range(25)]
    case.equal({f"q{n}" for n in range(25)}, {record.queue for record in case.claim(queues=names)})
    case.equal([], case.claim(queues=names))
    case.equal(15, case.backend.stats(now=NOW).by_state[State.PENDING])


@example("CLAIM-03")
def a_claim_reads_its_queues_to_their_end(case: Case) -> None:
    """A claim from more than a thousand queues also returns jobs of the last queue."""
    case.insert(NewRecord(kind="k", queue="last"), NewRecord(kind="k", queue="another"))
    names = [*(f"unknown {n}" for n in range(MANY)), "last"]
    claimed = case.raw.claim(names, limit=9, worker="w", lease=LEASE, now=NOW)
    case.equal(["last"], [record.queue for record in claimed])


@example("CLAIM-04")
def a_pause_holds_back_everything(case: Case) -> None:
    """No client can claim new, retrying, released or rescued jobs of a queue while the queue is paused."""
    other = case.client()
    retried, released, expired = case.running(unique_key="key").claim, case.running().claim, case.running().claim
    case.insert(NewRecord(kind="new"), NewRecord(kind="k", queue="open"))
    case.backend.settle([Retry(retried, NOW, ERROR), Release(released)], now=NOW)
    case.backend.rescue(limit=9, now=NOW + LEASE)
    case.backend.pause("default")
    for client in (case.backend, other):
        case.equal([], list(client.claim(["default"], limit=9, worker="w", lease=LEASE, now=NOW + LEASE)))
    case.equal(["open"], [record.queue for record in case.claim(now=NOW + LEASE, queues=["default", "open"])])
    other.resume("default")
    held_back = {record.id for record in case.claim(now=NOW + LEASE)}
    old = {retried.id, released.id, expired.id}
    case.that(old < held_back and len(held_back) == 4, "all four jobs after the resume", held_back)


@example("CLAIM-04")
def a_pause_holds_at_once(case: Case) -> None:
    """A client cannot claim from a queue that another client has paused, even right after a claim of its own."""
    other = case.client()
    for n in range(REREADS):
        new = [NewRecord(kind="k", run_at=LONG_DUE, queue=f"q{n}") for _ in range(2)]
        other.insert(new)
        case.equal(["k"], claim_kinds(case.backend, new[0]))
        other.pause(f"q{n}")
        case.equal([], claim_kinds(case.backend, new[0]))
        other.resume(f"q{n}")
        case.equal(["k"], claim_kinds(case.backend, new[0]))


@example("CLAIM-05")
def many_queues_are_one_order(case: Case) -> None:
    """A claim from more queues than a store may query at once returns the most urgent jobs of all of them."""
    names = [f"q{n}" for n in range(min(120, case.capabilities.max_batch))]
    case.insert(*(NewRecord(kind="k", queue=name, priority=n) for n, name in enumerate(names)))
    case.equal(names[:-4:-1], [record.queue for record in case.claim(3, queues=names)])


@example("CLAIM-05")
def order_within_and_across_queues(case: Case) -> None:
    """Claims with any limit return the jobs of all their queues in one order: priority, then run_at, then id."""
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


@example("CLAIM-07")
def many_are_claimed_at_once(case: Case) -> None:
    """A claim with a large limit returns every due job."""
    size = insert_many(case)
    case.equal(size, len(case.claim(LARGEST_LIMIT)))


@example("CLAIM-07")
def an_empty_claim_is_not_cached(case: Case) -> None:
    """An empty claim does not hide jobs that another client then inserts, resumes, requeues, releases or rescues."""
    other = case.client()

    def found() -> list[str]:
        records = other.claim(["default"], limit=9, worker="o", lease=2 * LEASE, now=NOW + LEASE)
        case.backend.settle([Complete(record.claim) for record in records], now=NOW + LEASE)
        return sorted(record.kind for record in records)

    case.insert(NewRecord(kind="future", run_at=10 * LEASE))
    case.insert(NewRecord(kind="released"))
    released = case.only(case.claim())
    case.equal([], found())
    case.backend.settle([Release(released.claim)], now=NOW)
    case.equal(["released"], found())
    case.equal([], found())
    case.insert(NewRecord(kind="inserted"))
    case.equal(["inserted"], found())
    case.equal([], found())
    case.backend.requeue(Filter(), limit=9, now=NOW)
    case.equal(["inserted", "released"], found())
    case.insert(NewRecord(kind="rescued"))
    case.claim()
    case.equal([], found())
    case.backend.rescue(limit=9, now=NOW + LEASE)
    case.equal(["rescued"], found())
    case.insert(NewRecord(kind="resumed"))
    case.backend.pause("default")
    case.equal([], found())
    case.backend.resume("default")
    case.equal(["resumed"], found())


@example("CLAIM-08")
def attempts_count_beyond_small_numbers(case: Case) -> None:
    """Each release and claim raises attempt and max_attempts by one, beyond one byte and, given time, beyond two."""
    id = case.insert(NewRecord(kind="k", max_attempts=1))[0].id
    end = inf if case.profile.random else monotonic() + _PATIENCE
    for attempt in range(1, 33_000):
        [record] = case.raw.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)
        case.equal((attempt, attempt), (record.attempt, record.max_attempts))
        case.equal([True], list(case.raw.settle([Release(Claim(id, attempt))], now=NOW)))
        if attempt > 300 and monotonic() > end:
            return


@example("CLAIM-09")
def leases_are_exact(case: Case) -> None:
    """A lease ends exactly a tick, 1.5 seconds or a hundred years after `now`, after a claim and after an extend."""
    for lease in (case.capabilities.time_precision, timedelta(seconds=1.5), timedelta(days=36_500)):
        case.insert(NewRecord(kind="k"))
        record = case.only(case.backend.claim(["default"], limit=1, worker="w", lease=lease, now=NOW))
        case.equal(NOW + lease, record.lease_until)
        case.backend.extend([record.claim], lease=lease, now=NOW + LEASE)
        case.equal(NOW + LEASE + lease, case.stored(record).lease_until)


@example("CLAIM-09")
def leases_may_end_in_the_last_year(case: Case) -> None:
    """Claim and extend store a lease until the last day of the year 9999 exactly, or reject it."""
    case.insert(NewRecord(kind="k"))
    try:
        record = case.only(case.backend.claim(["default"], limit=1, worker="w", lease=_LAST_DAY - NOW, now=NOW))
    except InvalidArgument:
        return
    case.equal(_LAST_DAY, record.lease_until)
    case.backend.extend([record.claim], lease=_LAST_DAY - NOW - LEASE, now=NOW + LEASE)
    case.equal(_LAST_DAY, case.stored(record).lease_until)
    case.equal([], list(case.backend.rescue(limit=1, now=_LAST_DAY - LEASE)))
    case.equal([State.RETRYING], [rescued.state for rescued in case.backend.rescue(limit=1, now=_LAST_DAY)])
