"""Inserts whose unique key another job holds: what they change, and what stays."""

from datetime import timedelta

from tallystick import Complete, Filter, Inserted, NewRecord, OnConflict, Record, Retry, State

from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR

_LATER = NOW + 2 * LEASE
_SECOND = timedelta(seconds=1)
_POLICIES: tuple[OnConflict, ...] = ("replace", "debounce")


def _new(on_conflict: OnConflict = "replace", **fields: object) -> NewRecord:
    given = {"kind": "k", "payload": b"new", "tags": ("new", "t"), "meta": {"m": "new"}, "unique_key": "key"}
    return NewRecord(on_conflict=on_conflict, **{**given, **fields})  # type: ignore[arg-type]


def _held(case: Case, **fields: object) -> Record:
    given = {"kind": "k", "payload": b"old", "tags": ("old",), "meta": {"m": "old"}, "unique_key": "key"}
    return case.insert(NewRecord(**{**given, **fields}))[0]  # type: ignore[arg-type]


def _replaced(holder: Record, **fields: object) -> Record:
    new = {"payload": b"new", "tags": ("new", "t"), "meta": {"m": "new"}, "updated_at": _LATER}
    return holder._replace(**{**new, **fields})  # type: ignore[arg-type]


@example("CONFLICT-01")
def replace_changes_a_pending_job(case: Case) -> None:
    """`replace` gives a pending job the payload, tags and meta of the new job, and keeps its id, queue and priority."""
    holder = _held(case, queue="old", priority=7, max_attempts=3, run_at=NOW + LEASE)
    other = case.insert(NewRecord(kind="k", payload=b"other", unique_key="other"))[0]
    answer = case.backend.insert([_new(queue="new", priority=1, run_at=NOW)], now=_LATER)[0]
    case.equal(Inserted(_replaced(holder), created=False, applied="replace"), answer)
    case.equal([_replaced(holder), other], sorted(case.backend.list(Filter(), limit=9)))
    case.equal(["default", "old"], [queue.name for queue in case.backend.queues()])
    case.equal([b"new"], [record.payload for record in case.claim(now=_LATER, queues=["old"])])


@example("CONFLICT-01")
def replace_changes_a_retrying_job(case: Case) -> None:
    """`replace` changes a job that waits for its next attempt, and keeps its attempts, its errors and its time."""
    holder = _held(case)
    case.backend.settle([Retry(case.only(case.claim()).claim, 9 * LEASE, ERROR)], now=NOW)
    holder = case.stored(holder)
    answer = case.backend.insert([_new()], now=_LATER)[0]
    case.equal(Inserted(_replaced(holder, errors=()), created=False, applied="replace"), answer)
    case.equal(_replaced(holder), case.stored(holder))


@example("CONFLICT-01")
def replace_clears_tags_and_meta(case: Case) -> None:
    """`replace` by a job without payload, tags and meta removes those of the holder. Each further one counts."""
    holder = _held(case)
    for payload in (b"", b"\x00" * 5_000, b"1"):
        answer = case.backend.insert([_new(payload=payload, tags=(), meta={})], now=_LATER)[0]
        expected = _replaced(holder, payload=payload, tags=(), meta={})
        case.equal((expected, "replace"), (answer.record, answer.applied))
        case.equal(expected, case.stored(holder))


@example("CONFLICT-01")
def a_replaced_job_is_found_by_its_new_tags(case: Case) -> None:
    """After a `replace`, a filter finds the job by its new tags, and no longer by its old ones."""
    holder = _held(case, tags=("old", "both"))
    case.backend.insert([_new(tags=("new", "both"))], now=_LATER)
    for tag, found in (("old", []), ("new", [holder.id]), ("both", [holder.id])):
        case.equal(found, [record.id for record in case.backend.list(Filter(tags=[tag]), limit=9)])
        case.equal(len(found), case.backend.count(Filter(tags=[tag])))


@example("CONFLICT-02")
def debounce_moves_the_time(case: Case) -> None:
    """`debounce` also sets run_at, to a later or an earlier time. The job is due at that time, and not before."""
    holder = _held(case, run_at=NOW + LEASE)
    for run_at in (NOW + 3 * LEASE, NOW + 5 * LEASE, NOW + 4 * LEASE):
        answer = case.backend.insert([_new("debounce", run_at=run_at)], now=_LATER)[0]
        expected = Inserted(_replaced(holder, run_at=run_at), created=False, applied="debounce")
        case.equal(expected, answer)
        case.equal(expected.record, case.stored(holder))
    case.equal([], case.claim(now=NOW + 4 * LEASE - _SECOND))
    case.equal([holder.id], [record.id for record in case.claim(now=NOW + 4 * LEASE)])


@example("CONFLICT-02")
def debounce_has_a_maximum(case: Case) -> None:
    """A `debounce` with a maximum delays a job at most until its created_at + `debounce_max`."""
    holder = _held(case)
    for n, run_at in ((1, LEASE), (3, 3 * LEASE), (4, 3 * LEASE), (9, 3 * LEASE), (2, 2 * LEASE)):
        new = _new("debounce", run_at=NOW + n * LEASE, debounce_max=3 * LEASE)
        answer = case.backend.insert([new], now=NOW + LEASE)[0]
        case.equal(NOW + run_at, answer.record.run_at)
        case.equal(NOW + run_at, case.stored(holder).run_at)
    answer = case.backend.insert([_new("debounce", run_at=LEASE, debounce_max=9 * LEASE)], now=NOW + LEASE)[0]
    case.equal(NOW + 2 * LEASE, answer.record.run_at)


@example("CONFLICT-02")
def debounce_ends_a_retry_delay(case: Case) -> None:
    """`debounce` without a time makes a retrying job due at once."""
    holder = _held(case)
    case.backend.settle([Retry(case.only(case.claim()).claim, 99 * LEASE, ERROR)], now=NOW)
    case.backend.insert([_new("debounce")], now=_LATER)
    case.equal([(holder.id, 2, b"new")], [(r.id, r.attempt, r.payload) for r in case.claim(now=_LATER)])


@example("CONFLICT-03")
def a_job_that_does_not_wait_stays(case: Case) -> None:
    """A holder that runs, that is flagged for cancellation or that has finished stays as it is."""
    running = case.running(unique_key="key", unique_until="purged")
    _stays(case, running)
    case.backend.cancel(Filter(ids=[running.id]), limit=1, now=NOW)
    _stays(case, running)
    case.backend.settle([Complete(running.claim, b"done")], now=NOW)
    _stays(case, running)


@example("CONFLICT-03")
def a_job_of_another_kind_stays(case: Case) -> None:
    """A waiting holder of another kind stays as it is, because the payload is for another handler."""
    _stays(case, _held(case, kind="other"))


def _stays(case: Case, holder: Record) -> None:
    before, holder = case.contents(), case.stored(holder)
    for policy in _POLICIES:
        answer = case.backend.insert([_new(policy)], now=_LATER)[0]
        case.equal(Inserted(holder, created=False), answer)
        case.equal(before, case.contents())


@example("CONFLICT-04")
def a_duplicate_by_id_stays(case: Case) -> None:
    """A repeated insert of the same id changes nothing, whatever its policy is, with the same key or another one."""
    other = case.insert(NewRecord(kind="k", unique_key="other"))[0]
    holder = _held(case)
    before = case.contents()
    for policy in _POLICIES:
        for key in ("key", "other", "free"):
            answer = case.backend.insert([_new(policy, id=holder.id, unique_key=key)], now=_LATER)[0]
            case.equal(Inserted(holder, created=False), answer)
            case.equal(before, case.contents())
    case.equal(State.PENDING, case.stored(other).state)


@example("CONFLICT-05")
def a_batch_changes_its_own_jobs(case: Case) -> None:
    """Records of one batch replace and debounce earlier ones, in order, and each result shows its own step."""
    first, again = _new(payload=b"1"), _new("debounce", payload=b"2", run_at=NOW + LEASE)
    batch = [first, again, _new("skip", payload=b"3"), _new(payload=b"4"), NewRecord(kind="other", unique_key="key")]
    answers = case.backend.insert(batch, now=NOW)
    case.equal([b"1", b"2", b"2", b"4", b"4"], [answer.record.payload for answer in answers])
    case.equal([True, False, False, False, False], [answer.created for answer in answers])
    case.equal([None, "debounce", None, "replace", None], [answer.applied for answer in answers])
    stored = case.only(case.backend.list(Filter(), limit=9))
    case.equal((first.id, b"4", NOW + LEASE), (stored.id, stored.payload, stored.run_at))


@example("CONFLICT-05")
def a_batch_changes_stored_jobs(case: Case) -> None:
    """A batch can insert a job, replace a stored one, meet a running one and repeat an id, all at once."""
    running = case.running(unique_key="running")
    waiting, known = _held(case), case.insert(NewRecord(kind="k", payload=b"known"))[0]
    batch = [
        NewRecord(kind="k", unique_key="new"),
        _new(unique_key="running"),
        _new(payload=b"1"),
        _new(id=known.id),
        _new(payload=b"2"),
    ]
    answers = case.backend.insert(batch, now=_LATER)
    case.equal(
        [(batch[0].id, None), (running.id, None), (waiting.id, "replace"), (known.id, None), (waiting.id, "replace")],
        [(answer.record.id, answer.applied) for answer in answers],
    )
    case.equal(b"2", case.stored(waiting).payload)
    case.equal(4, len(case.backend.list(Filter(), limit=9)))
