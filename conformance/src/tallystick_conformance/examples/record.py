"""Results belong to the caller: no change of them changes the store, and no later call changes them."""

from uuid import UUID

from tallystick import Claim, Complete, Filter, NewRecord, Outcome

from ..harness.case import LEASE, NOW, Case, example


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
