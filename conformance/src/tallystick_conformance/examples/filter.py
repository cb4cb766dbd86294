"""Filters with every pair of fields, with empty collections and with long ones."""

from tallystick import Complete, Filter, NewRecord, State

from ..harness.case import NOW, Case, example
from .common import MANY


@example("FILTER-01")
def long_filters_are_read_to_their_end(case: Case) -> None:
    """A filter with more than a thousand kinds, queues or tags finds a record that fits only the last of them."""
    record = case.insert(NewRecord(kind="last", queue="last", tags=("other", "last")))[0]
    case.insert(NewRecord(kind="k", queue="q", tags=("t",)))
    names = [f"unknown {n % 700}" for n in range(MANY)] + ["last"]
    for filter in (Filter(kinds=names), Filter(queues=names), Filter(tags=names)):
        found = [found.id for found in case.raw.list(filter, limit=9)]
        case.that(found == [record.id], "the record that the last name fits", found)
    case.equal([record.id], list(case.raw.cancel(Filter(kinds=names, tags=names), limit=9, now=NOW)))


@example("FILTER-01")
def filters_combine(case: Case) -> None:
    """A filter with two fields returns exactly the records that fit both, for every pair of fields."""
    case.insert(*(
        NewRecord(kind=kind, queue=queue, tags=tags)
        for kind in ("a", "b") for queue in ("x", "y") for tags in ((), ("t",), ("u", "t"), ("tt",))
    ))  # fmt: skip
    claimed = case.claim(5, queues=["x"])
    case.backend.settle([Complete(record.claim) for record in claimed[:2]], now=NOW)
    stored = list(case.backend.list(Filter(), limit=100))
    fields: tuple[dict[str, object], ...] = (
        {"ids": [record.id for record in stored[3:12]] * 2},
        {"states": [State.PENDING, State.COMPLETED]},
        {"states": [State.RUNNING]},
        {"kinds": ["a", "unknown"]},
        {"queues": ["x", "x"]},
        {"tags": ["t"]},
        {"tags": ["u", "tt"]},
        {"tags": []},
    )
    for first in fields:
        for second in fields:
            filter = Filter(**{**first, **second})  # type: ignore[arg-type]
            case.equal([r.id for r in stored if filter.fits(r)], [r.id for r in case.backend.list(filter, limit=100)])


@example("FILTER-01")
def an_empty_collection_fits_nothing(case: Case) -> None:
    """A filter with an empty collection in any field fits no record, whatever its other fields are."""
    case.backend.settle([Complete(case.running(tags=("t",)).claim)], now=NOW)
    case.insert(NewRecord(kind="k", tags=("t",)))
    backend, before = case.backend, case.contents()
    for field in ("ids", "states", "kinds", "queues", "tags"):
        nothing = Filter(**{field: []})
        case.equal([], list(backend.list(nothing, limit=9)))
        case.equal([], list(backend.cancel(nothing, limit=9, now=NOW)))
        case.equal([], list(backend.requeue(nothing, limit=9, now=NOW)))
        case.equal([], list(backend.delete(nothing, limit=9)))
    case.equal(before, case.contents())
