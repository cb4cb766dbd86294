"""Boundary values: the last moment before a limit and the first after it, the largest numbers, and empty input."""

from datetime import timedelta
from functools import partial
from math import inf
from time import monotonic

from tallystick import LEASE_EXPIRED, Claim, Complete, Discard, Failure, Filter, Hold, NewRecord, Release, Retry, State
from tallystick.records import MAX_ATTEMPTS, PRIORITIES

from ..harness.case import LEASE, NOW, Case, example

_ERROR = Failure("E", "m")
_LARGEST_LIMIT = 2**31 - 1
_PATIENCE = 1.5
"""Seconds for which the `quick` profile counts attempts on a slow store."""

_LEAST = timedelta(microseconds=1)
"""The smallest difference between two times. It is less than a tick in a store with a precision of milliseconds."""

_ODD = 7
"""Ticks past a whole second, so that an example fails if a store keeps times less exactly than it declares."""


@example("TIME-01")
def due_at_the_moment(case: Case) -> None:
    """New, retried and released jobs are due at `run_at`, and not a microsecond earlier."""
    tick = case.capabilities.time_precision
    due = NOW + LEASE + _ODD * tick
    for offset, count in ((-_LEAST, 0), (timedelta(0), 3), (_LEAST, 3)):
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
    """A claimed or extended lease expires at `lease_until`, and not earlier."""
    tick = case.capabilities.time_precision
    now = NOW + _ODD * tick
    for offset, count in ((-_LEAST, 0), (timedelta(0), 1), (_LEAST, 1)):
        case.insert(NewRecord(kind="k"))
        claimed = case.only(case.claim(now=now))
        case.equal(count, len(case.backend.rescue(limit=9, now=now + LEASE + offset)))
        if not count:
            case.equal([Hold.HELD], list(case.backend.extend([claimed.claim], lease=LEASE, now=now + LEASE)))
            case.equal(0, len(case.backend.rescue(limit=9, now=now + 2 * LEASE - tick)))
            case.equal(1, len(case.backend.rescue(limit=9, now=now + 2 * LEASE)))
        case.backend.delete(Filter(), limit=9)


@example("PURGE-01")
def purged_after_the_moment(case: Case) -> None:
    """`purge` keeps a job that finished at `before`, and removes it if `before` is a microsecond later."""
    tick = case.capabilities.time_precision
    for state, outcome in ((State.COMPLETED, Complete), (State.DISCARDED, partial(Discard, error=_ERROR))):
        ended = case.running()
        end = NOW + LEASE + _ODD * tick
        case.backend.settle([outcome(ended.claim)], now=end)
        for before, count in ((end - _LEAST, 0), (end, 0), (end + _LEAST, 1)):
            case.equal(count, case.backend.purge([state], before=before, limit=9))


@example("CALL-01")
def the_largest_numbers_are_accepted(case: Case) -> None:
    """Each call accepts the largest limit, unknown attempts, and the bounds of priority and max_attempts."""
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
    """Each release and claim raises attempt and max_attempts by one, beyond one byte and, given time, beyond two."""
    id = case.insert(NewRecord(kind="k", max_attempts=1))[0].id
    end = inf if case.profile.random else monotonic() + _PATIENCE
    for attempt in range(1, 33_000):
        [record] = case.raw.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)
        case.equal((attempt, attempt), (record.attempt, record.max_attempts))
        case.equal([True], list(case.raw.settle([Release(Claim(id, attempt))], now=NOW)))
        if attempt > 300 and monotonic() > end:
            return


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


@example("UNIQUE-05")
def jobs_without_a_key_are_never_duplicates(case: Case) -> None:
    """Any number of jobs without a unique key can be stored, in one batch and in several."""
    for _ in range(2):
        answers = case.backend.insert([NewRecord(kind="k") for _ in range(3)], now=NOW)
        case.equal([(True, None)] * 3, [(answer.created, answer.record.unique_key) for answer in answers])


@example("CLAIM-09")
def leases_are_exact(case: Case) -> None:
    """A lease ends exactly a tick, 1.5 seconds or a hundred years after `now`, after a claim and after an extend."""
    for lease in (case.capabilities.time_precision, timedelta(seconds=1.5), timedelta(days=36_500)):
        case.insert(NewRecord(kind="k"))
        record = case.only(case.backend.claim(["default"], limit=1, worker="w", lease=lease, now=NOW))
        case.equal(NOW + lease, record.lease_until)
        case.backend.extend([record.claim], lease=lease, now=NOW + LEASE)
        case.equal(NOW + LEASE + lease, case.stored(record).lease_until)


@example("RESCUE-02")
def a_rescue_replaces_the_last_error(case: Case) -> None:
    """After a rescue, last_error is LEASE_EXPIRED, even if the job failed before or the rescue discards it."""
    for most in (9, 2):
        record = case.running(max_attempts=most)
        case.backend.settle([Retry(record.claim, NOW, _ERROR)], now=NOW)
        case.claim()
        case.only(case.backend.rescue(limit=1, now=NOW + LEASE))
        case.equal(LEASE_EXPIRED, case.stored(record).last_error)
        case.backend.delete(Filter(), limit=1)
