"""Reused ids: a removed job leaves nothing behind for the next job with its id."""

from collections.abc import Callable, Sequence
from uuid import UUID

from tallystick import Backend, Complete, Discard, Failure, Filter, Hold, NewRecord, Record, State

from ..harness.case import LEASE, NOW, Case, example

_LATER = NOW + LEASE
_IDS = [UUID(int=n << 96 | n) for n in range(1, 4)]
_OLD = [
    NewRecord(kind="old", id=id, queue="old", priority=9, unique_key=f"old {n}", unique_until="purged", tags=("old",))
    for n, id in enumerate(_IDS)
]
_NEW = [NewRecord(kind="new", id=id, payload=b"new", queue="new", max_attempts=3) for id in _IDS]

Removal = Callable[[Backend], object]

_REMOVALS: tuple[Removal, ...] = (
    lambda client: client.delete(Filter(ids=_IDS), limit=9),
    lambda client: client.delete(Filter(), limit=9),
    lambda client: client.purge([State.COMPLETED, State.DISCARDED], before=_LATER + LEASE, limit=9),
)


@example("INSERT-04")
def ids_of_removed_jobs_are_free(case: Case) -> None:
    """After jobs have run and any client has removed them, new jobs with their ids are stored as given."""
    for client in (case.backend, case.client()):
        for remove in _REMOVALS:
            _run_old_jobs(case.backend)
            remove(client)
            case.equal({}, case.backend.get(_IDS))
            answers = case.backend.insert(_NEW, now=_LATER)
            expected = [new.stored(_LATER) for new in _NEW]
            case.equal([(record, True) for record in expected], [tuple(answer) for answer in answers])
            case.equal(expected[::-1], list(case.backend.list(Filter(queues=["new"]), limit=9)))
            case.equal([], list(case.backend.list(Filter(tags=["old"]), limit=9)))
            case.equal((3, 3), case.backend.stats(now=_LATER).by_queue["new"][:2])
            case.equal(True, case.backend.insert([NewRecord(kind="k", unique_key="old 0")], now=_LATER)[0].created)
            case.backend.delete(Filter(), limit=9)


@example("SETTLE-06")
def claims_of_removed_jobs_are_not_current(case: Case) -> None:
    """The claims of a removed job are lost, even after its id is inserted again. The new job begins with attempt 1."""
    for remove in _REMOVALS:
        old = _run_old_jobs(case.backend)
        remove(case.backend)
        case.backend.insert(_NEW, now=_LATER)
        claims = [record.claim for record in old]
        case.equal([Hold.LOST] * 3, list(case.backend.extend(claims, lease=LEASE, now=_LATER)))
        case.equal([False] * 3, list(case.backend.settle([Complete(claim) for claim in claims], now=_LATER)))
        claimed = case.claim(now=_LATER, queues=["new", "old"])
        case.equal(
            [(id, 1, None) for id in _IDS], [(record.id, record.attempt, record.last_error) for record in claimed]
        )
        case.backend.settle([Complete(record.claim) for record in claimed], now=_LATER)
        case.backend.delete(Filter(), limit=9)


def _run_old_jobs(client: Backend) -> Sequence[Record]:
    """Run the old jobs to their end: discard the first and complete the others."""
    client.insert(_OLD, now=NOW)
    claimed = client.claim(["old"], limit=9, worker="w", lease=LEASE, now=NOW)
    first, *rest = (record.claim for record in claimed)
    client.settle([Discard(first, Failure("E", "m")), *(Complete(claim, b"old") for claim in rest)], now=NOW)
    return claimed
