"""Settling claims: stale, repeated and mixed outcomes."""

from uuid import UUID

from tallystick import Claim, Complete, Filter, Hold, NewRecord, Release, State
from tallystick.contract.records import MAX_ATTEMPTS

from ..harness.case import LEASE, NOW, Case, example
from .common import HIGH_ATTEMPTS, LONG_DUE, REREADS
from .removed import IDS, LATER, NEW, REMOVALS, run_old_jobs


@example("SETTLE-04")
def a_release_raises_the_largest_max_attempts(case: Case) -> None:
    """Each release raises max_attempts by one, even beyond the largest value that an insert accepts."""
    for n in range(1, 4):
        claim = case.running(max_attempts=MAX_ATTEMPTS[1]).claim if n == 1 else case.only(case.claim()).claim
        case.equal([True], list(case.backend.settle([Release(claim)], now=NOW)))
        case.equal(MAX_ATTEMPTS[1] + n, case.backend.get([claim.id])[claim.id].max_attempts)


@example("SETTLE-06")
def high_attempts_are_rejected(case: Case) -> None:
    """`settle` rejects an outcome of an attempt that the job has not reached, however high its number is."""
    record = case.running()
    outcomes = [Complete(Claim(record.id, attempt)) for attempt in HIGH_ATTEMPTS]
    applied = case.backend.settle([*outcomes, Complete(record.claim)], now=NOW)
    case.equal([*[False] * len(outcomes), True], list(applied))


@example("SETTLE-06")
def claims_of_removed_jobs_are_not_current(case: Case) -> None:
    """The claims of a removed job are lost, even after its id is inserted again. The new job begins with attempt 1."""
    for remove in REMOVALS:
        old = run_old_jobs(case.backend)
        remove(case.backend)
        case.backend.insert(NEW, now=LATER)
        claims = [record.claim for record in old]
        case.equal([Hold.LOST] * 3, list(case.backend.extend(claims, lease=LEASE, now=LATER)))
        case.equal([False] * 3, list(case.backend.settle([Complete(claim) for claim in claims], now=LATER)))
        claimed = case.claim(now=LATER, queues=["new", "old"])
        case.equal(
            [(id, 1, None) for id in IDS], [(record.id, record.attempt, record.last_error) for record in claimed]
        )
        case.backend.settle([Complete(record.claim) for record in claimed], now=LATER)
        case.backend.delete(Filter(), limit=9)


@example("SETTLE-06")
def an_end_holds_at_once(case: Case) -> None:
    """A client cannot settle a claim that another client has settled, even right after it extended the claim."""
    other = case.client()
    for n in range(REREADS):
        other.insert([NewRecord(kind="k", run_at=LONG_DUE, queue=f"q{n}")])
        record = case.only(list(case.backend.claim([f"q{n}"], limit=1, worker="w", lease=LEASE)))
        case.backend.extend([record.claim], lease=LEASE)
        case.equal([True], list(other.settle([Complete(record.claim)])))
        case.equal([False], list(case.backend.settle([Complete(record.claim)])))


@example("SETTLE-07")
def settle_results_are_returned_in_order(case: Case) -> None:
    """`settle` returns one result for each outcome, in order, and applies every current one of a mixed batch."""
    case.insert(*(NewRecord(kind="k") for _ in range(3)))
    first, second, third = (record.claim for record in case.claim())
    claims = [Claim(first.id, 7), first, Claim(UUID(int=9), 1), second, first, third, third]
    expected = [False, True, False, True, False, True, False]
    case.equal(expected, list(case.backend.settle([Complete(claim) for claim in claims], now=NOW)))
    case.equal(3, case.backend.stats(now=NOW).by_state[State.COMPLETED])


@example("SETTLE-08")
def the_same_outcome_is_applied_once(case: Case) -> None:
    """If the same outcome object occurs twice in a batch, settle applies it once."""
    outcome = Complete(case.running().claim)
    case.equal([True, False], list(case.backend.settle([outcome, outcome], now=NOW)))
