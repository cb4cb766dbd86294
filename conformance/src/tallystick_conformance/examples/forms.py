"""Types of results. A result of the wrong type breaks callers even if it equals the expected value."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from tallystick import (
    Claim,
    Complete,
    Filter,
    Hold,
    Inserted,
    NewRecord,
    Outcome,
    Queue,
    QueueStats,
    Record,
    State,
    Stats,
)
from tallystick.state import FINAL

from ..contract.typed import flaws
from ..harness.case import LEASE, NOW, Case, example


@example("CALL-02")
def results_have_their_types(case: Case) -> None:
    """Each call returns its declared type: a sequence, dict, bool, int or Stats, with items of the declared type."""
    backend, ids = case.backend, []
    inserted = backend.insert([NewRecord(kind="k", tags=("a", "b")) for _ in range(4)], now=NOW)
    _require_sequence(case, inserted, Inserted)
    for answer in inserted:
        _require_sequence(case, [answer.created], bool)
        ids.append(answer.record.id)
    claimed = backend.claim(["default"], limit=3, worker="w", lease=LEASE, now=NOW)
    _require_sequence(case, claimed, Record)
    claims = [record.claim for record in claimed]
    _require_sequence(case, backend.extend(claims[:1], lease=2 * LEASE, now=NOW), Hold)
    _require_sequence(case, backend.settle([Complete(claims[0], b"r")], now=NOW), bool)
    _require_sequence(case, backend.rescue(limit=1, now=NOW + LEASE), Record)
    _require_sequence(case, backend.cancel(Filter(ids=ids), limit=9, now=NOW), UUID)
    _require_sequence(case, backend.list(Filter(), limit=9), Record)
    got = backend.get(ids)
    case.that(isinstance(got, dict) and set(map(type, got)) == {UUID}, "a dict of records by id", got)
    _require_sequence(case, list(got.values()), Record)
    _require_stats(case, backend.stats(now=NOW))
    _require_sequence(case, backend.requeue(Filter(), limit=1, now=NOW), UUID)
    _require_sequence(case, backend.delete(Filter(), limit=1), UUID)
    _require_sequence(case, [backend.purge(sorted(FINAL), before=NOW + LEASE, limit=1)], int)
    _require_sequence(case, [backend.purge(sorted(FINAL), before=NOW - LEASE, limit=1)], int)
    _require_sequence(case, backend.queues(), Queue)
    _require_sequence(case, [backend.wait([name], timeout=timedelta(0)) for name in ("default", "unknown")], bool)


@example("RECORD-02")
def results_belong_to_the_caller(case: Case) -> None:
    """A caller that clears the lists and dicts that it passed or received does not change the store."""
    backend, new = case.backend, [NewRecord(kind="k") for _ in range(4)]
    inserted = backend.insert(new, now=NOW)
    claimed = backend.claim(["default"], limit=3, worker="w", lease=LEASE, now=NOW)
    claims: list[Claim] = [record.claim for record in claimed]
    outcomes: list[Outcome] = [Complete(claims[0])]
    held, settled = backend.extend(claims, lease=LEASE, now=NOW), backend.settle(outcomes, now=NOW)
    stats, ids = backend.stats(now=NOW), [record.id for record in new]
    answers = (
        backend.get(ids),
        backend.list(Filter(), limit=9),
        backend.list(Filter(ids=ids), limit=9),
        backend.queues(),
    )
    before = repr(case.contents())
    for one in (new, inserted, claimed, claims, outcomes, held, settled, ids, *answers, *stats[1:]):
        if isinstance(one, list | dict):
            one.clear()
    case.equal(before, repr(case.contents()))


@example("RECORD-02")
def results_do_not_change_later(case: Case) -> None:
    """Later calls change neither the result of an earlier call nor its arguments."""
    backend, new = case.backend, [NewRecord(kind=kind, id=UUID(int=n)) for n, kind in ((3, "b"), (1, "a"), (2, "b"))]
    ids = [record.id for record in new]
    before = repr((new, ids))
    backend.insert(new, now=NOW)
    claimed = backend.claim(["default"], limit=3, worker="w", lease=LEASE, now=NOW)
    claims: list[Claim] = [record.claim for record in reversed(claimed)]
    outcomes: list[Outcome] = [Complete(claim) for claim in claims]
    kept = (claimed, claims, outcomes, *_reads(case, ids))
    given = repr(kept)
    backend.extend(claims, lease=LEASE, now=NOW)
    backend.settle(outcomes, now=NOW)
    backend.delete(Filter(ids=ids), limit=2)
    backend.pause("paused")
    _reads(case, ids)
    case.equal((before, given), (repr((new, ids)), repr(kept)))


def _reads(case: Case, ids: list[UUID]) -> tuple[object, ...]:
    found = case.backend.get(ids), case.backend.list(Filter(ids=ids), limit=9)
    return *found, case.backend.stats(now=NOW), case.backend.queues()


def _require_sequence(case: Case, answer: object, kind: type) -> None:
    ok = isinstance(answer, Sequence) and len(answer) > 0 and all(type(item) is kind for item in answer)
    case.that(ok, f"a sequence of {kind.__name__}", answer)
    if isinstance(answer, Sequence):
        wrong = [flaw for item in answer if isinstance(item, Record) for flaw in flaws(item)]
        case.that(not wrong, "fields of their declared types, datetimes in UTC", wrong)


def _require_stats(case: Case, stats: Stats) -> None:
    case.that(type(stats) is Stats, "Stats", stats)
    counts = (stats.by_state, stats.by_kind, stats.by_queue)
    case.that(all(isinstance(count, Mapping) for count in counts), "counts by state, by kind and by queue", stats)
    case.that(set(map(type, stats.by_state)) == {State}, "counts by State", stats)
    _require_sequence(case, [stats.total, *stats.by_state.values(), *stats.by_kind.values()], int)
    _require_sequence(case, list(stats.by_queue.values()), QueueStats)
