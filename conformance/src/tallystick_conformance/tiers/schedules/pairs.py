"""Each pair of calls that may conflict about one job, with the second call between any two steps of the first."""

from collections.abc import Sequence
from itertools import combinations

from tallystick import Filter, State

from ...harness.case import LEASE, NOW, Case, example
from ...history.operation import Operation
from .explore import interleave
from .program import (
    SECOND,
    Call,
    Calls,
    Program,
    call,
    cancel,
    claim,
    complete,
    delete,
    discard,
    extend,
    give_up,
    insert,
    purge,
    release,
    requeue,
    rescue,
    retry,
    settle,
    update,
)

_RUNNING = (insert(0, max_attempts=3), claim())
_WHILE_IT_RUNS = (
    *(settle(end()) for end in (complete, retry, discard, release, give_up)),
    extend(),
    rescue(),
    cancel(0, at=LEASE),
    delete(0),
)
_WHILE_IT_WAITS = (
    claim(),
    update(0, priority=1),
    update(0, run_at=NOW + 2 * LEASE),
    cancel(0),
    delete(0),
)
_ENDED = (*_RUNNING, settle(complete()))
_ONCE_IT_ENDED = (requeue(0), delete(0), purge(), insert(0, at=LEASE + SECOND), cancel(0, at=LEASE + SECOND))


@example("SCHED-08")
def every_two_calls_interleave(case: Case) -> None:
    """Each pair of calls about a waiting, running or finished job gives results that one of the orders explains."""
    places = case.profile.places // 2  # there are many pairs
    pairs = (
        *_pairs((insert(0),), _WHILE_IT_WAITS),
        *_pairs(_RUNNING, _WHILE_IT_RUNS),
        *_pairs(_ENDED, _ONCE_IT_ENDED),
    )
    interleave(case, *pairs, places=places)


@example("SCHED-08")
def reads_meet_changes(case: Case) -> None:
    """A list returns only records that fit, and all that it could. Reads see a concurrent batch whole or not at all."""
    running, page = call("list", Filter(states=[State.RUNNING]), limit=9), call("list", Filter(), limit=2)
    reads = call("list", Filter(), limit=3), call("stats", now=NOW)
    interleave(
        case,
        Program(_RUNNING, {"a": (running,), "b": (settle(complete()),)}),
        Program((insert(0, 1, 2),), {"a": (page,), "b": (delete(2),)}),
        Program((), {"a": (insert(0, 1, 2),), "b": reads}),
        also=_are_whole,
    )


def _are_whole(case: Case, history: Sequence[Operation]) -> None:
    for made in history:
        if made.error is not None:
            continue
        if made.call == "list" and made.given["limit"] == 2:
            case.that(len(made.answer) == 2, "a page of 2, because at least 2 jobs are stored at any time", made.answer)
        elif made.call == "stats" or (made.call == "list" and made.given["limit"] == 3):
            seen = made.answer.total if made.call == "stats" else len(made.answer)
            case.that(seen in (0, 3), "a batch of 3 jobs, or none of it", made.answer)


def _pairs(before: Calls, calls: Sequence[Call]) -> list[Program]:
    return [
        Program(before, {"a": (first,), "b": (second,)})
        for first, second in combinations(calls, 2)
        if (first.method, second.method) != ("settle", "settle")  # SCHED-02 covers these
    ]
