"""The form of each call's answer: what only compares equal to the right one breaks whoever is not careful."""

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

from ..case import LEASE, NOW, Case, example
from ..typed import flaws


@example("CALL-02")
def answers_have_their_form(case: Case) -> None:
    """Each call answers with a sequence, a dict, a bool, an int or a Stats, as it says, of items of one type."""
    backend, ids = case.backend, []
    inserted = backend.insert([NewRecord(kind="k", tags=("a", "b")) for _ in range(4)], now=NOW)
    _is_row(case, inserted, Inserted)
    for answer in inserted:
        _is_row(case, [answer.created], bool)
        ids.append(answer.record.id)
    claimed = backend.claim(["default"], limit=3, worker="w", lease=LEASE, now=NOW)
    _is_row(case, claimed, Record)
    claims = [record.claim for record in claimed]
    _is_row(case, backend.extend(claims[:1], lease=2 * LEASE, now=NOW), Hold)
    _is_row(case, backend.settle([Complete(claims[0], b"r")], now=NOW), bool)
    _is_row(case, backend.rescue(limit=1, now=NOW + LEASE), Record)
    _is_row(case, backend.cancel(Filter(ids=ids), limit=9, now=NOW), UUID)
    _is_row(case, backend.list(Filter(), limit=9), Record)
    got = backend.get(ids)
    case.that(isinstance(got, dict) and set(map(type, got)) == {UUID}, "a dict of records by id", got)
    _is_row(case, list(got.values()), Record)
    _is_counted(case, backend.stats(now=NOW))
    _is_row(case, backend.requeue(Filter(), limit=1, now=NOW), UUID)
    _is_row(case, backend.delete(Filter(), limit=1), UUID)
    _is_row(case, [backend.purge(sorted(FINAL), before=NOW + LEASE, limit=1)], int)
    _is_row(case, [backend.purge(sorted(FINAL), before=NOW - LEASE, limit=1)], int)
    _is_row(case, backend.queues(), Queue)
    _is_row(case, [backend.wait([name], timeout=timedelta(0)) for name in ("default", "unknown")], bool)


@example("RECORD-02")
def answers_are_the_callers_own(case: Case) -> None:
    """A caller that empties the lists and dicts that it gave and was answered with takes nothing from the store."""
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
def answers_stay_as_they_were(case: Case) -> None:
    """What a call was answered with is not changed by what comes after, and what it was given is not changed by it."""
    backend, new = case.backend, [NewRecord(kind=kind, id=UUID(int=n)) for n, kind in ((3, "b"), (1, "a"), (2, "b"))]
    ids = [record.id for record in new]
    before = repr((new, ids))
    backend.insert(new, now=NOW)
    claimed = backend.claim(["default"], limit=3, worker="w", lease=LEASE, now=NOW)
    claims: list[Claim] = [record.claim for record in reversed(claimed)]
    outcomes: list[Outcome] = [Complete(claim) for claim in claims]
    kept = (claimed, claims, outcomes, *_looks(case, ids))
    given = repr(kept)
    backend.extend(claims, lease=LEASE, now=NOW)
    backend.settle(outcomes, now=NOW)
    backend.delete(Filter(ids=ids), limit=2)
    backend.pause("paused")
    _looks(case, ids)
    case.equal((before, given), (repr((new, ids)), repr(kept)))


def _looks(case: Case, ids: list[UUID]) -> tuple[object, ...]:
    found = case.backend.get(ids), case.backend.list(Filter(ids=ids), limit=9)
    return *found, case.backend.stats(now=NOW), case.backend.queues()


def _is_row(case: Case, answer: object, kind: type) -> None:
    ok = isinstance(answer, Sequence) and len(answer) > 0 and all(type(item) is kind for item in answer)
    case.that(ok, f"a sequence of {kind.__name__}", answer)
    if isinstance(answer, Sequence):
        wrong = [flaw for item in answer if isinstance(item, Record) for flaw in flaws(item)]
        case.that(not wrong, "fields of their declared types, datetimes in UTC", wrong)


def _is_counted(case: Case, stats: Stats) -> None:
    case.that(type(stats) is Stats, "Stats", stats)
    counts = (stats.by_state, stats.by_kind, stats.by_queue)
    case.that(all(isinstance(count, Mapping) for count in counts), "counts by state, by kind and by queue", stats)
    case.that(set(map(type, stats.by_state)) == {State}, "counts by State", stats)
    _is_row(case, [stats.total, *stats.by_state.values(), *stats.by_kind.values()], int)
    _is_row(case, list(stats.by_queue.values()), QueueStats)
