"""Purging at the moment when a job finished, and many jobs at once."""

from functools import partial

from tallystick import Cancel, Complete, Discard, Filter, NewRecord, State

from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR, LARGEST_LIMIT, LEAST, ODD_TICKS, insert_many

_ENDS = (
    (State.COMPLETED, Complete),
    (State.DISCARDED, partial(Discard, error=ERROR)),
    (State.CANCELLED, Cancel),
)


@example("PURGE-01")
def purged_after_the_moment(case: Case) -> None:
    """`purge` keeps a job that ended at `before`, in any way, and removes it if `before` is a microsecond later."""
    tick = case.capabilities.time_precision
    for state, outcome in _ENDS:
        ended = case.running()
        end = NOW + LEASE + ODD_TICKS * tick
        case.backend.settle([outcome(ended.claim)], now=end)
        for before, count in ((end - LEAST, 0), (end, 0), (end + LEAST, 1)):
            case.equal(count, case.backend.purge([state], before=before, limit=9))


@example("PURGE-02")
def many_are_purged_at_once(case: Case) -> None:
    """A purge with a large limit removes every job that finished before the given time."""
    size = insert_many(case)
    case.backend.cancel(Filter(), limit=size, now=NOW)
    case.equal(size, case.backend.purge([State.CANCELLED], before=NOW + LEASE, limit=LARGEST_LIMIT))


@example("PURGE-03")
def kinds_are_purged_apart(case: Case) -> None:
    """Purge keeps the kinds that are not given or excepted, and the records that finished before `since`."""
    tick = case.capabilities.time_precision
    for kind in ("a", "b", "c", "A"):
        case.insert(NewRecord(kind=kind))
    case.backend.cancel(Filter(), limit=9, now=NOW)
    purge = partial(case.backend.purge, [State.CANCELLED], before=NOW + LEASE, limit=9)
    case.equal(0, purge(kinds=[]))
    case.equal(0, purge(kinds=["a"], except_kinds=["a"]))
    case.equal(0, purge(since=NOW + tick))
    case.equal(1, purge(kinds=["b", "unknown"], since=NOW))
    case.equal({"a", "c", "A"}, {record.kind for record in case.backend.list(Filter(), limit=9)})
    case.equal(2, purge(except_kinds=["a"], limit=2))
    case.equal(["a"], [record.kind for record in case.backend.list(Filter(), limit=9)])
    case.equal(1, purge(kinds=None, except_kinds=()))
