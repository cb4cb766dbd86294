"""The order of claims, of the results of a batch and of pages; filters with every pair of fields."""

from datetime import timedelta
from random import Random
from uuid import UUID

from tallystick import Claim, Complete, Filter, Hold, NewRecord, State

from ..harness.case import LEASE, NOW, Case, example


@example("CLAIM-05")
def order_within_and_across_queues(case: Case) -> None:
    """Claims with any limit return the jobs of all their queues in one order: priority, then run_at, then id."""
    random = Random(7)
    new = [
        NewRecord(
            kind="k",
            id=UUID(int=random.getrandbits(128)),
            queue=f"q{n % 3}",
            priority=random.choice((-1, 0, 0, 1)),
            run_at=NOW - timedelta(seconds=random.choice((0, 0, 1, 2))),
        )
        for n in range(48)
    ]
    case.insert(*new)
    expected = sorted(new, key=lambda job: (-job.priority, job.run_at, job.id.bytes))
    names = ["q2", "q0", "q1", "q0", "unknown"]
    got = [record.id for limit in (1, 2, 3, 5, 37, 9) for record in case.claim(limit, queues=names)]
    case.equal([job.id for job in expected], got)


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


@example("QUERY-01")
def repeats_are_harmless(case: Case) -> None:
    """`get` returns each record once, even if ids are repeated or unknown."""
    first, second = case.insert(NewRecord(kind="a", tags=("z", "a", "m")), NewRecord(kind="b"))
    unknown = UUID(int=5)
    got = case.backend.get([second.id, unknown, first.id, second.id, unknown, second.id])
    case.equal({first.id: first, second.id: second}, got)
    case.equal(("z", "a", "m"), got[first.id].tags)


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


@example("LEASE-05")
def holds_are_returned_in_order(case: Case) -> None:
    """`extend` returns one result for each claim, in order, if current, flagged, stale and unknown claims are mixed."""
    case.insert(*(NewRecord(kind="k") for _ in range(3)))
    held, flagged, other = (record.claim for record in case.claim())
    case.backend.cancel(Filter(ids=[flagged.id]), limit=1, now=NOW)
    stale, unknown = Claim(held.id, 7), Claim(UUID(int=9), 1)
    claims = [stale, held, flagged, unknown, other, held, stale, flagged]
    expected = [Hold.LOST, Hold.HELD, Hold.CANCEL_REQUESTED, Hold.LOST, Hold.HELD, Hold.HELD, Hold.LOST,
                Hold.CANCEL_REQUESTED]  # fmt: skip
    case.equal(expected, list(case.backend.extend(claims, lease=LEASE, now=NOW)))


@example("SETTLE-07")
def settle_results_are_returned_in_order(case: Case) -> None:
    """`settle` returns one result for each outcome, in order, and applies every current one of a mixed batch."""
    case.insert(*(NewRecord(kind="k") for _ in range(3)))
    first, second, third = (record.claim for record in case.claim())
    claims = [Claim(first.id, 7), first, Claim(UUID(int=9), 1), second, first, third, third]
    expected = [False, True, False, True, False, True, False]
    case.equal(expected, list(case.backend.settle([Complete(claim) for claim in claims], now=NOW)))
    case.equal(3, case.backend.stats(now=NOW).by_state[State.COMPLETED])


@example("INSERT-03")
def inserts_are_returned_in_order(case: Case) -> None:
    """`insert` returns one result for each record, in order, if new jobs and duplicates are mixed."""
    known = case.insert(NewRecord(kind="known", id=UUID(int=5), unique_key="key"))[0]
    new = [
        NewRecord(kind="a", id=UUID(int=9)),
        NewRecord(kind="b", id=UUID(int=7), unique_key="key"),
        NewRecord(kind="c", id=UUID(int=1)),
        NewRecord(kind="d", id=known.id),
        NewRecord(kind="e", id=UUID(int=3)),
    ]
    answers = case.backend.insert(new, now=NOW)
    expected = [("a", True), ("known", False), ("c", True), ("known", False), ("e", True)]
    case.equal(expected, [(answer.record.kind, answer.created) for answer in answers])
