"""Two threads that make similar calls through one client, the steps of one between any two steps of the other."""

from datetime import timedelta

from ...harness.case import LEASE, Case, example
from .explore import interleave
from .program import SECOND, Call, Calls, Program, claim, complete, extend, insert, retry, settle

_STOCK = (insert(0, 1),)
_RUNNING = (*_STOCK, claim())
_NOW = timedelta(0)


def _two(before: Calls, a: Call, b: Call) -> Program:
    return Program(before, {"a": (a,), "b": (b,)})


@example("RACE-02")
def threads_keep_their_arguments_apart(case: Case) -> None:
    """Two threads that make one call of one client with different arguments each get the effect of their own."""
    interleave(
        case,
        _two((), insert(0, priority=1, at=_NOW), insert(1, priority=2, at=SECOND)),
        _two(_STOCK, claim(1, worker="a"), claim(1, worker="b", at=SECOND)),
        _two(_RUNNING, extend(0, at=SECOND), extend(1, at=LEASE)),
        _two(_RUNNING, settle(complete(0), at=SECOND), settle(retry(1), at=LEASE)),
        shared=True,
    )
