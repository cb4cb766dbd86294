"""Pages in the order of a time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from tallystick import Complete, Discard, Filter, NewRecord, Order, Record, State

from ..harness.case import NOW, Case, example
from .common import ERROR

_HEADS = (0x00, 0x7F, 0x80, 0xFF)
_SECOND = timedelta(seconds=1)


@example("PAGE-04")
def pages_by_time_reach_each_record_once(case: Case) -> None:
    """Paging by run_at and by finished_at returns each record once, even if many have the same time."""
    tick = case.capabilities.time_precision
    times = [NOW, NOW + tick, NOW + 2 * tick, NOW + _SECOND]
    ids = [UUID(bytes=bytes([head, *range(13), 0, n])) for head in _HEADS for n in range(len(times))]
    case.insert(*(NewRecord(kind="ab"[n % 2], id=id, run_at=times[id.bytes[-1]]) for n, id in enumerate(ids)))
    waiting = list(case.backend.list(Filter(), limit=100))
    ascending = [r.id for r in sorted(waiting, key=lambda r: (r.run_at, r.id.bytes))]
    _require_pages(case, "run_at", ascending, ids)
    for time in times:
        records = case.claim(now=time)
        case.backend.settle([Complete(record.claim) for record in records], now=time)
    case.insert(NewRecord(kind="a"), NewRecord(kind="b"))
    case.claim(1)
    finished = list(case.backend.list(Filter(states=[State.COMPLETED]), limit=100))
    descending = [r.id for r in sorted(finished, key=lambda r: (r.finished_at or NOW, r.id.bytes), reverse=True)]
    _require_pages(case, "finished_at", descending, ids)


def _require_pages(case: Case, order: Order, expected: list[UUID], ids: list[UUID]) -> None:
    for size in (1, 3, 100):
        case.equal(expected, list(_paged(case, Filter(), order, size)))
        case.equal(expected, list(_paged(case, Filter(ids=ids), order, size)))
        kinds = [id for id in expected if ids.index(id) % 2]
        case.equal(kinds, list(_paged(case, Filter(ids=ids, kinds=["b"]), order, size)))


def _paged(case: Case, filter: Filter, order: Order, size: int) -> Iterator[UUID]:
    after: tuple[datetime, UUID] | None = None
    for _ in range(1_000):
        page = case.backend.list(filter, limit=size, order=order, after=after)
        yield from (record.id for record in page)
        if not page:
            return
        after = (_time(case, page[-1], order), page[-1].id)
    case.that(False, "a last page", "a thousand pages")


def _time(case: Case, record: Record, order: Order) -> datetime:
    time = record.run_at if order == "run_at" else record.finished_at
    case.that(time is not None, f"a record with {order}", record)
    return time or NOW


@example("PAGE-01")
def retried_jobs_are_not_finished(case: Case) -> None:
    """A requeued job leaves the pages by finished_at, and is on those by run_at."""
    record = case.running()
    case.backend.settle([Discard(record.claim, ERROR)], now=NOW)
    case.equal([record.id], [r.id for r in case.backend.list(Filter(), limit=9, order="finished_at")])
    case.equal([], list(case.backend.list(Filter(), limit=9, order="run_at")))
    case.backend.requeue(Filter(), limit=1, now=NOW)
    case.equal([], list(case.backend.list(Filter(), limit=9, order="finished_at")))
    case.equal([record.id], [r.id for r in case.backend.list(Filter(), limit=9, order="run_at")])
