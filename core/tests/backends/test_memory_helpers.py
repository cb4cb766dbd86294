"""Records in memory: order, filters, pages and counts."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import Filter, NewRecord, Queue, QueueStats, Record, State
from tallystick.backends import calls, counting, selection
from tallystick.backends.counting import Count

from ..helpers import NOW, SECOND
from .small_stores import STORE

NONE = dict.fromkeys(State, 0)


def record(number: int, kind: str = "a", *, run_at: timedelta = timedelta(0), **fields: Any) -> Record:
    """Return a record with a number as its id."""
    new = NewRecord(kind=kind, id=UUID(int=number), run_at=NOW + run_at)
    return new.stored(NOW)._replace(**fields)


def test_claiming_order() -> None:
    """Jobs are claimed by priority, then run_at, then id."""
    found = [record(4), record(3), record(2, run_at=-SECOND), record(1, run_at=SECOND, priority=1)]
    assert [one.id.int for one in sorted(found, key=selection.claiming_order)] == [1, 2, 3, 4]


def test_matching() -> None:
    """Records match by every field of a filter, by ids in the order given, and once each."""
    records = {one.id: one for one in (record(1), record(2, "b"), record(3))}
    assert selection.matching(records, Filter()) == [*records.values()]
    assert selection.matching(records, Filter(kinds=["b"])) == [record(2, "b")]
    ids = [UUID(int=number) for number in (3, 9, 2, 3)]
    assert selection.matching(records, Filter(ids=ids)) == [record(3), record(2, "b")]
    assert selection.matching(records, Filter(ids=ids, kinds=["a"])) == [record(3)]


def test_page() -> None:
    """A page is newest first, below an id, up to a limit."""
    records = [record(2), record(3), record(1)]

    def page(limit: int, after: UUID | None) -> list[Record]:
        return selection.page(records, calls.list(Filter(), STORE, limit=limit, after=after))

    assert page(9, None) == [record(3), record(2), record(1)]
    assert page(1, UUID(int=3)) == [record(2)]


def test_page_by_finish() -> None:
    """A page by `finished_at` has only finished jobs: the latest first, then by id, descending."""
    records = [record(1, finished_at=NOW), record(2), record(3, finished_at=NOW), record(4, finished_at=NOW - SECOND)]

    def page(after: tuple[datetime, UUID] | None) -> list[int]:
        call = calls.list(Filter(), STORE, limit=2, order="finished_at", after=after)
        return [one.id.int for one in selection.page(records, call)]

    assert page(None) == [3, 1]
    assert page((NOW, UUID(int=1))) == [4]


def test_page_by_due_time() -> None:
    """A page by `run_at` has only waiting jobs: the earliest first, then by id, ascending."""
    records = [record(1), record(2, state=State.RUNNING), record(3, run_at=-SECOND), record(4, state=State.RETRYING)]

    def page(after: tuple[datetime, UUID] | None) -> list[int]:
        call = calls.list(Filter(), STORE, limit=2, order="run_at", after=after)
        return [one.id.int for one in selection.page(records, call)]

    assert page(None) == [3, 1]
    assert page((NOW, UUID(int=1))) == [4]


def test_stats_of_counts() -> None:
    """Counts are summed by state, kind and queue; each state and each known queue has an entry."""
    stats = counting.stats(
        [
            Count("b", "mail", "pending", 3, 2, NOW),
            Count("b", "mail", "retrying", 1, 1, NOW - SECOND),
            Count("a", "news", "completed", 4),
        ],
        [Queue("c", paused=True), Queue("b", paused=True)],
    )
    assert stats.total == 8
    assert stats.by_state == dict.fromkeys(State, 0) | {
        State.PENDING: 3,
        State.RETRYING: 1,
        State.COMPLETED: 4,
    }
    assert stats.by_kind == {"mail": 4, "news": 4}
    assert list(stats.by_queue.items()) == [
        ("a", QueueStats(4, 0, None, paused=False, by_state=NONE | {State.COMPLETED: 4})),
        ("b", QueueStats(4, 3, NOW - SECOND, paused=True, by_state=NONE | {State.PENDING: 3, State.RETRYING: 1})),
        ("c", QueueStats(0, 0, None, paused=True, by_state=NONE)),
    ]


def test_stats_of_damaged_counts() -> None:
    """Counts of an unknown state are ignored, and a kind without records has no entry."""
    stats = counting.stats([Count("a", "mail", "gone", 3), Count("a", "mail", "pending", 0)], [])
    empty = QueueStats(0, 0, None, paused=False, by_state=NONE)
    assert (stats.total, stats.by_kind, stats.by_queue) == (0, {}, {"a": empty})


def test_counts_of_records() -> None:
    """A record in memory is due if it waits and its run_at has come."""
    records = [
        record(1),
        record(2, run_at=-SECOND, state=State.RETRYING),
        record(3, run_at=SECOND),
        record(4, state=State.RUNNING),
    ]
    stats = counting.stats(counting.counts(records, NOW), [])
    assert stats.total == 4
    assert stats.by_state[State.PENDING] == 2
    by_state = NONE | {State.PENDING: 2, State.RETRYING: 1, State.RUNNING: 1}
    assert stats.by_queue == {"default": QueueStats(4, 2, NOW - SECOND, paused=False, by_state=by_state)}
