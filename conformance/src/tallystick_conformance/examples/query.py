"""Reading records by id and in pages."""

from operator import attrgetter
from uuid import UUID

from tallystick import Filter, NewRecord, State

from ..harness.case import Case, example
from .common import LARGEST_LIMIT, insert_many


@example("QUERY-01")
def repeats_are_harmless(case: Case) -> None:
    """`get` returns each record once, even if ids are repeated or unknown."""
    first, second = case.insert(NewRecord(kind="a", tags=("z", "a", "m")), NewRecord(kind="b"))
    unknown = UUID(int=5)
    got = case.backend.get([second.id, unknown, first.id, second.id, unknown, second.id])
    case.equal({first.id: first, second.id: second}, got)
    case.equal(("z", "a", "m"), got[first.id].tags)


@example("QUERY-02")
def many_are_listed_at_once(case: Case) -> None:
    """A list with a large limit returns every record, in order."""
    size = insert_many(case)
    ids = [record.id.bytes for record in case.backend.list(Filter(), limit=LARGEST_LIMIT)]
    case.that(len(ids) == size and ids == sorted(ids, reverse=True), f"{size} records in order", f"{len(ids)}")


@example("QUERY-03")
def pages_begin_after_any_id(case: Case) -> None:
    """`after` may be an id that is not stored. The page then begins with the next lower id, or is empty."""
    ids = [UUID(int=n << 100) for n in (1, 3, 5, 7)]
    case.insert(*(NewRecord(kind="k", id=id) for id in ids))
    for after, below in ((4, 2), (7, 3), (8, 4), (1, 0), (0, 0)):
        page = case.backend.list(Filter(), limit=9, after=UUID(int=after << 100))
        case.equal(list(reversed(ids[:below])), [record.id for record in page])
    case.backend.delete(Filter(ids=[ids[2]]), limit=1)
    case.equal([ids[1]], [record.id for record in case.backend.list(Filter(), limit=1, after=ids[2])])


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
