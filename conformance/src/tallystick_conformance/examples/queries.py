"""Paging through lists, and concurrent reads by several threads."""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from uuid import UUID

from tallystick import Filter, NewRecord, State

from ..harness.case import NOW, Case, example
from ..harness.threads import together


@example("QUERY-04")
def pages_reach_each_record_once(case: Case) -> None:
    """Paging returns each record once, newest first, even if ids differ only in their first or last bytes."""
    heads = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
    tails = ((0, 1), (0, 9), (255, 1), (255, 9))
    ids = [UUID(bytes=bytes([head, *range(13), *tail])) for head in heads for tail in tails]
    case.insert(*(NewRecord(kind="ab"[n % 2], id=id) for n, id in enumerate(ids)))
    expected = sorted(ids, key=attrgetter("bytes"), reverse=True)
    for size in (1, 2, 5, len(ids), 100):
        case.equal(expected, _paged(case, Filter(), size))
        case.equal(expected, _paged(case, Filter(states=list(State), queues=["default"]), size))
        case.equal([id for id in expected if ids.index(id) % 2 == 0], _paged(case, Filter(kinds=["a"]), size))


def _paged(case: Case, filter: Filter, size: int) -> list[UUID]:
    found: list[UUID] = []
    while page := list(case.backend.list(filter, limit=size, after=found[-1] if found else None)):
        found += [record.id for record in page]
        if len(found) > 1_000:
            case.that(False, "a last page", f"{len(found)} records")
    return found


@example("STATS-03")
def queues_are_counted_when_empty(case: Case) -> None:
    """`stats` includes, with zero counts, a queue without records and a queue that was only paused."""
    gone = case.insert(NewRecord(kind="k", queue="gone"))[0]
    case.backend.pause("paused")
    case.backend.delete(Filter(ids=[gone.id]), limit=1)
    by_queue = case.backend.stats(now=NOW).by_queue
    case.equal({"gone": (0, 0, None, False), "paused": (0, 0, None, True)}, {n: tuple(q) for n, q in by_queue.items()})


@example("CALL-01")
def threads_read_through_one_client(case: Case) -> None:
    """Three threads that read through one client while a fourth inserts all get correct results."""
    client, ids = case.client(), [record.id for record in case.insert(*(NewRecord(kind="k") for _ in range(3)))]
    reads: tuple[Callable[[], object], ...] = (
        lambda: client.stats(now=NOW).total,
        lambda: len(client.list(Filter(), limit=9)),
        lambda: len(client.get(ids)),
        lambda: client.insert([NewRecord(kind="k", id=ids[0])], now=NOW)[0].created,
    )
    for _ in range(case.profile.rounds // 4):
        case.equal([3, 3, 3, False], together(*(partial(_last_of, read) for read in reads)))


def _last_of(call: Callable[[], object]) -> object:
    return [call() for _ in range(5)][-1]
