"""Calls that are known to conflict, from two workers, in each interleaving with one pre-emption."""

from datetime import timedelta

from tallystick import OnConflict

from ...harness.case import LEASE, Case, example
from .explore import interleave
from .program import (
    SECOND,
    Call,
    Calls,
    Program,
    cancel,
    claim,
    complete,
    delete,
    discard,
    extend,
    insert,
    pause,
    purge,
    release,
    report,
    requeue,
    rescue,
    resume,
    retry,
    settle,
)

_RUNNING = (insert(0), claim())
_DONE = (*_RUNNING, settle(complete()))
_NOW = timedelta(0)
_IN_TWO_QUEUES = (insert(0), insert(1, queue="other", run_at=SECOND), insert(2, run_at=2 * SECOND))


def _two(before: Calls, a: Call | Calls, b: Call | Calls) -> Program:
    return Program(before, {"a": _calls(a), "b": _calls(b)})


def _calls(calls: Call | Calls) -> Calls:
    return (calls,) if isinstance(calls, Call) else calls


@example("SCHED-01")
def claims_interleave(case: Case) -> None:
    """Concurrent claims give each job to one worker, leave none behind and keep the order."""
    interleave(
        case,
        _two((insert(0),), claim(1, worker="a"), claim(1, worker="b")),
        _two((insert(0),), claim(worker="a"), (claim(worker="b"), settle(release(), at=_NOW))),
        _two((insert(0, 1, 2),), claim(2, worker="a"), claim(2, worker="b")),
        _two((insert(0, 1),), claim(2, worker="a"), claim(1, worker="b")),
        _two(_RUNNING, (settle(retry()), claim(at=LEASE)), claim(at=LEASE, worker="b")),
        _two(_IN_TWO_QUEUES, delete(0), claim(1, "other", at=LEASE)),
    )


@example("SCHED-02")
def ends_interleave(case: Case) -> None:
    """An attempt that is settled, extended and rescued at once ends once, and is held only before its end."""
    interleave(
        case,
        _two(_RUNNING, settle(complete()), rescue()),
        _two(_RUNNING, settle(complete()), settle(discard())),
        _two(_RUNNING, extend(), (rescue(), claim(at=LEASE, worker="b"))),
        _two(_RUNNING, rescue(), rescue()),
    )


@example("SCHED-03")
def rescues_meet_the_next_attempt(case: Case) -> None:
    """A rescue, a late settle or a late report that begins during one attempt does not affect the next attempt."""
    interleave(
        case,
        _two(_RUNNING, rescue(), (settle(retry()), claim(at=LEASE, worker="b"))),
        _two(_RUNNING, settle(complete()), (rescue(), claim(at=LEASE, worker="b"))),
        _two(_RUNNING, rescue(), extend()),
        _two(_RUNNING, report(), (rescue(), claim(at=LEASE, worker="b"))),
    )


@example("SCHED-04")
def keys_interleave(case: Case) -> None:
    """Concurrent inserts with one key or id, while its holder ends or is requeued, leave exactly one holder."""
    held = insert(0, unique_key="key")
    interleave(
        case,
        _two((), insert(0, unique_key="key"), insert(1, unique_key="key")),
        _two((), insert(0), insert(0)),
        _two((held, claim(), settle(complete())), requeue(0), insert(1, unique_key="key")),
        _two((held, claim()), settle(complete()), insert(1, unique_key="key")),
        _two((insert(0, unique_key="key", unique_until="started"),), claim(), insert(1, unique_key="key")),
    )


@example("SCHED-09")
def replaces_interleave(case: Case) -> None:
    """A replace or debounce changes a job before its claim, after its end or not at all, and none is lost."""
    held = insert(0, unique_key="key", payload=b"old")
    replace, debounce = (_conflicting(1, "replace"), _conflicting(2, "debounce", run_at=SECOND))
    interleave(
        case,
        _two((held,), claim(), replace),
        _two((held,), claim(), debounce),
        _two((held,), replace, debounce),
        _two((held, claim()), settle(retry()), replace),
        _two((held, claim()), settle(complete()), replace),
        _two((held,), cancel(0, at=_NOW), replace),
    )


def _conflicting(slot: int, policy: OnConflict, **fields: timedelta) -> Call:
    return insert(slot, unique_key="key", payload=b"new", on_conflict=policy, **fields)


@example("SCHED-05")
def cancels_interleave(case: Case) -> None:
    """A cancel takes effect even if it interleaves with a claim, a retry, a rescue or a requeue."""
    interleave(
        case,
        _two((insert(0),), claim(), cancel(0, at=_NOW)),
        _two(_RUNNING, settle(retry()), cancel(0, at=LEASE)),
        _two(_RUNNING, rescue(), cancel(0, at=LEASE)),
        _two(_DONE, requeue(0), cancel(0, at=LEASE + SECOND)),
    )


@example("SCHED-06")
def removals_interleave(case: Case) -> None:
    """A job that is removed during a claim, settle or requeue is either gone or kept. A running job is kept."""
    interleave(
        case,
        _two((insert(0),), delete(0), claim()),
        _two(_RUNNING, delete(0), settle(complete())),
        _two(_DONE, delete(0), (requeue(0), claim(at=2 * LEASE))),
        _two(_DONE, purge(), requeue(0)),
        _two(_DONE, requeue(0), requeue(0)),
    )


@example("SCHED-07")
def pauses_interleave(case: Case) -> None:
    """After a pause has returned, no new claim returns a job of that queue."""
    interleave(
        case,
        _two((insert(0, 1),), pause(), (claim(1), claim(1))),
        _two((insert(0), pause()), resume(), (claim(), claim())),
    )
