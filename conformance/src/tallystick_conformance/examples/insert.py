"""Inserts: order of the results, ids of stored and of removed jobs, and repeats."""

from uuid import UUID

from tallystick import Complete, Filter, Inserted, NewRecord, State

from ..harness.case import LEASE, NOW, Case, example
from .removed import IDS, LATER, NEW, REMOVALS, run_old_jobs


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


@example("INSERT-04")
def a_removed_id_can_be_inserted_again(case: Case) -> None:
    """After a job is deleted or purged, an insert with its id stores a new job."""
    new = NewRecord(kind="k", unique_key="key")
    case.insert(new)
    case.backend.delete(Filter(), limit=1)
    record = case.only(case.insert(new))
    case.equal((State.PENDING, record), (record.state, case.stored(record)))
    case.backend.settle([Complete(case.only(case.claim()).claim)], now=NOW)
    case.backend.purge([State.COMPLETED], before=NOW + LEASE, limit=1)
    case.equal(True, case.backend.insert([new], now=NOW)[0].created)
    case.equal([new.id], [record.id for record in case.claim()])


@example("INSERT-04")
def ids_of_removed_jobs_are_free(case: Case) -> None:
    """After jobs have run and any client has removed them, new jobs with their ids are stored as given."""
    for client in (case.backend, case.client()):
        for remove in REMOVALS:
            run_old_jobs(case.backend)
            remove(client)
            case.equal({}, case.backend.get(IDS))
            answers = case.backend.insert(NEW, now=LATER)
            expected = [new.stored(LATER) for new in NEW]
            case.equal([Inserted(record, created=True) for record in expected], list(answers))
            case.equal(expected[::-1], list(case.backend.list(Filter(queues=["new"]), limit=9)))
            case.equal([], list(case.backend.list(Filter(tags=["old"]), limit=9)))
            case.equal((3, 3), case.backend.stats(now=LATER).by_queue["new"][:2])
            case.equal(True, case.backend.insert([NewRecord(kind="k", unique_key="old 0")], now=LATER)[0].created)
            case.backend.delete(Filter(), limit=9)


@example("INSERT-04")
def the_id_is_checked_first(case: Case) -> None:
    """A record with the id of one job and the key of another is a duplicate of the job with its id.

    Neither job changes.
    """
    first, second = case.insert(NewRecord(kind="a"), NewRecord(kind="b", unique_key="key", priority=7))
    again = NewRecord(kind="c", id=first.id, unique_key="key", payload=b"other", queue="other")
    answer = case.backend.insert([again], now=NOW + 2 * LEASE)[0]
    case.equal((first, False), (answer.record, answer.created))
    case.equal([second, first], sorted(case.backend.list(Filter(), limit=9), key=lambda record: -record.priority))


@example("INSERT-05")
def inserts_can_be_repeated(case: Case) -> None:
    """A repeated insert stores nothing and returns the records in their current state."""
    batch = [NewRecord(kind="k", unique_key=f"key {n}") for n in range(4)]
    case.insert(*batch)
    done, running = case.claim(2)
    case.backend.settle([Complete(done.claim, b"result")], now=NOW)
    stored = case.backend.get([new.id for new in batch])
    answers = case.backend.insert(batch, now=NOW + LEASE)
    case.equal([False] * 4, [answer.created for answer in answers])
    case.equal([stored[new.id] for new in batch], [answer.record for answer in answers])
    case.equal(4, len(case.backend.list(Filter(), limit=100)))
    case.equal(running, case.stored(running))
