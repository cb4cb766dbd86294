"""Whole records that come from another store: keys, work that goes on, and records that are rejected."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from tallystick import (
    AttemptError,
    Complete,
    Filter,
    Hold,
    InvalidArgument,
    NewRecord,
    PayloadTooLarge,
    Progress,
    Record,
    Retry,
    State,
)

from ..contract.eligibility import FINAL
from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR, LEAST, MANY, ODD_TICKS

_BEFORE = NOW - LEASE


def whole(state: State = State.PENDING, **fields: Any) -> Record:
    """Return a record as another store may return it. The fields of the record replace those of its state."""
    began = state not in (State.PENDING, State.CANCELLED)
    failed = (AttemptError(1, _BEFORE, ERROR),) if state in (State.RETRYING, State.DISCARDED) else ()
    record = Record(
        id=NewRecord(kind="k").id,
        kind="k",
        queue="default",
        payload=b"\x00\xff",
        priority=0,
        state=state,
        attempt=1 if began else 0,
        max_attempts=3,
        run_at=_BEFORE,
        created_at=_BEFORE,
        updated_at=_BEFORE,
        attempted_at=_BEFORE if began else None,
        finished_at=_BEFORE if state in FINAL else None,
        lease_until=NOW + LEASE if state is State.RUNNING else None,
        worker="earlier" if began else None,
        cancel_requested=False,
        unique_key=None,
        unique_until="finished",
        last_error=ERROR if failed else None,
        result=b"" if state is State.COMPLETED else None,
        tags=(),
        errors=failed,
        progress=Progress(0.5, "half", _BEFORE) if began else None,
    )
    return record._replace(**fields)


def _restore(case: Case, *records: Record) -> Sequence[bool]:
    return list(case.backend.restore(records, now=NOW))


def _holder(case: Case, key: str) -> object:
    """Return the id of the job that holds a key, or None; a free key stays free."""
    [answer] = case.backend.insert([NewRecord(kind="k", unique_key=key)], now=NOW)
    if answer.created:
        case.backend.delete(Filter(ids=[answer.record.id]), limit=1)
    return None if answer.created else answer.record.id


@example("RESTORE-01")
def each_state_is_kept(case: Case) -> None:
    """A record in each state is stored with every field, and its queue is known. Only `get` returns its details."""
    records = [
        whole(state, queue=f"q{n}", tags=("b", "a"), meta={"k": "\x00"}, unique_key=f"key {n}", priority=n - 3)
        for n, state in enumerate(State)
    ]
    case.equal([True] * len(records), _restore(case, *records))
    case.equal({record.id: record for record in records}, case.backend.get([record.id for record in records]))
    listed = {record.id: record for record in case.backend.list(Filter(), limit=9)}
    case.equal({record.id: record._replace(errors=(), progress=None) for record in records}, listed)
    case.equal([f"q{n}" for n in range(len(records))], [queue.name for queue in case.backend.queues()])
    case.equal(dict.fromkeys(State, 1), dict(case.backend.stats(now=NOW).by_state))


@example("RESTORE-01")
def a_large_batch_is_kept(case: Case) -> None:
    """A batch beyond the sizes at which backends split is stored whole, and counted."""
    size = min(MANY, case.capabilities.max_batch)
    records = [whole(State.COMPLETED if n % 2 else State.PENDING) for n in range(size)]
    case.that(list(case.raw.restore(records, now=NOW)) == [True] * size, "each record stored", "some are not")
    by_state = case.raw.stats(now=NOW).by_state
    case.equal((size - size // 2, size // 2), (by_state[State.PENDING], by_state[State.COMPLETED]))
    kept = case.raw.get([record.id for record in records])
    case.that(all(kept.get(record.id) == record for record in records), "each record as given", "some differ")


@example("RESTORE-02")
def stored_ids_are_skipped(case: Case) -> None:
    """A stored record stays as it is, whatever the restored one says. A repeated restore stores nothing."""
    stored = case.running(unique_key="key")
    other = whole(State.COMPLETED)
    again = whole(State.PENDING, id=stored.id, queue="new", unique_key="key")
    twice = other._replace(payload=b"twice")
    case.equal([False, True, False], _restore(case, again, other, twice))
    case.equal((stored, other), (case.stored(stored), case.stored(other)))
    before = case.contents()
    case.equal([False, False], _restore(case, other, stored))
    case.equal(before, case.contents())


@example("RESTORE-03")
def held_keys_are_held(case: Case) -> None:
    """A restored record holds its key if a job in its state holds it, and its time has not passed."""
    records = (
        whole(unique_key="a"),
        whole(State.RUNNING, unique_key="b"),
        whole(State.COMPLETED, unique_key="c", unique_until="purged"),
        whole(State.COMPLETED, unique_key="d", unique_until=2 * LEASE),
        whole(unique_key="e", unique_until="started"),
    )
    free = (
        whole(State.COMPLETED, unique_key="f"),
        whole(State.RETRYING, unique_key="g", unique_until="started"),
        whole(unique_key="h", unique_until=LEASE),
        whole(State.CANCELLED, unique_key="i", unique_until="started"),
    )
    case.equal([True] * 9, _restore(case, *records, *free))
    for record in records:
        case.equal(record.id, _holder(case, str(record.unique_key)))
    for record in free:
        case.equal(None, _holder(case, str(record.unique_key)))


@example("RESTORE-03")
def a_final_record_yields_its_key(case: Case) -> None:
    """A final record whose key another job holds is stored without it, and does not get it when that job is gone."""
    [holder] = case.insert(NewRecord(kind="k", unique_key="key"))
    final = whole(State.COMPLETED, unique_key="key", unique_until="purged")
    later = whole(State.DISCARDED, unique_key="key", unique_until=2 * LEASE)
    case.equal([True, True], _restore(case, final, later))
    case.equal(holder.id, _holder(case, "key"))
    case.equal(final, case.stored(final))
    case.backend.delete(Filter(ids=[holder.id]), limit=1)
    case.equal(None, _holder(case, "key"))


@example("RESTORE-03")
def a_passed_holder_frees_its_key(case: Case) -> None:
    """A restored record takes the key of a job whose time has passed."""
    case.backend.insert([NewRecord(kind="k", unique_key="key", unique_until=LEASE)], now=_BEFORE)
    record = whole(unique_key="key")
    case.equal([True], _restore(case, record))
    case.equal(record.id, _holder(case, "key"))


@example("RESTORE-04")
def held_keys_reject_the_batch(case: Case) -> None:
    """A record that is not final and needs a held key makes the call raise InvalidArgument. Nothing is stored."""
    case.insert(NewRecord(kind="k", unique_key="held"))
    for state in (State.PENDING, State.RUNNING, State.RETRYING):
        blocked = whole(state, unique_key="held")
        case.refuses(InvalidArgument, partial(_restore, case, whole(queue="new", unique_key="free"), blocked))
    pair = (whole(unique_key="free"), whole(unique_key="free"))
    case.refuses(InvalidArgument, partial(_restore, case, *pair))
    case.equal(None, _holder(case, "free"))


@example("RESTORE-04")
def records_of_no_job_are_rejected(case: Case) -> None:
    """A record with a value that no job can have makes the call raise InvalidArgument. Nothing is stored."""
    case.running()
    too_large = b"x" * (case.capabilities.max_payload_bytes + 1)
    naive = NOW.replace(tzinfo=None)
    wrong: tuple[dict[str, Any], ...] = (
        {"state": "done"},
        {"state": State.RUNNING},
        {"state": State.COMPLETED},
        {"lease_until": NOW},
        {"finished_at": NOW},
        {"attempt": -1},
        {"attempt": 2**31},
        {"max_attempts": 0},
        {"priority": 2**15},
        {"kind": ""},
        {"queue": "a\n"},
        {"worker": ""},
        {"tags": ["a\x00"]},
        {"meta": {"": ""}},
        {"unique_key": ""},
        {"unique_until": "later"},
        {"payload": "text"},
        {"result": "text"},
        {"last_error": "text"},
        {"cancel_requested": None},
        {"errors": (AttemptError(1, NOW, ERROR),) * 21},
        {"errors": (ERROR,)},
        {"created_at": naive},
        {"updated_at": None},
        {"run_at": naive},
        {"id": 7},
    )
    for fields in wrong:
        case.refuses(InvalidArgument, partial(_restore, case, whole(queue="new"), whole()._replace(**fields)))
    for large in (whole(payload=too_large), whole(State.COMPLETED, result=too_large)):
        case.refuses(PayloadTooLarge, partial(_restore, case, whole(queue="new"), large))


@example("RESTORE-05")
def work_goes_on(case: Case) -> None:
    """A restored claim is current: it is extended and settled. An expired one is rescued, and waiting jobs claimed."""
    running, expired = whole(State.RUNNING, attempt=2), whole(State.RUNNING, lease_until=NOW)
    waiting, later = whole(State.RETRYING, priority=5), whole(run_at=NOW + LEASE)
    paused = whole(queue="paused")
    case.backend.pause("paused")
    _restore(case, running, expired, waiting, later, paused)
    case.equal([expired.id], [record.id for record in case.backend.rescue(limit=9, now=NOW)])
    stale = running.claim._replace(attempt=1)
    case.equal([Hold.HELD, Hold.LOST], list(case.backend.extend([running.claim, stale], lease=LEASE, now=NOW)))
    case.equal([True, False], list(case.backend.settle([Complete(running.claim), Complete(stale)], now=NOW)))
    claimed = case.claim(queues=["default", "paused"])
    case.equal([(waiting.id, 2), (expired.id, 2)], [(record.id, record.attempt) for record in claimed])
    case.equal([later.id], [record.id for record in case.claim(now=NOW + LEASE)])
    case.backend.settle([Retry(claimed[0].claim, LEASE, ERROR)], now=NOW)
    errors = [*waiting.errors, AttemptError(2, NOW, ERROR)]
    case.equal(errors, list(case.stored(waiting).errors))


@example("RESTORE-05")
def operators_find_restored_jobs(case: Case) -> None:
    """Restored records are found by every filter and order, and can be requeued, cancelled, purged and deleted."""
    done = whole(State.COMPLETED, tags=("t", "u"), unique_key="key", worker="w1")
    dead, late = whole(State.DISCARDED, kind="dead", queue="other"), whole(run_at=NOW + LEASE)
    _restore(case, done, dead, late)
    found: tuple[tuple[Filter, Record], ...] = (
        (Filter(tags=["u"]), done),
        (Filter(unique_keys=["key"]), done),
        (Filter(workers=["w1"]), done),
        (Filter(states=[State.COMPLETED]), done),
        (Filter(error_types=[ERROR.type]), dead),
        (Filter(kinds=["dead"]), dead),
        (Filter(queues=["other"], finished_until=NOW), dead),
        (Filter(created_since=_BEFORE, states=[State.PENDING]), late),
    )
    for filter, record in found:
        case.equal([record.id], [one.id for one in case.backend.list(filter, limit=9)])
        case.equal(1, case.backend.count(filter))
    if case.capabilities.error_text:
        case.equal(1, case.backend.count(Filter(error_text=ERROR.message)))
    ended = [record.id for record in case.backend.list(Filter(), limit=9, order="finished_at")]
    case.equal(sorted([done.id, dead.id], reverse=True), ended)
    case.equal([late.id], [record.id for record in case.backend.list(Filter(), limit=9, order="run_at")])
    case.equal([dead.id], list(case.backend.requeue(Filter(ids=[dead.id]), limit=9, now=NOW)))
    case.equal([late.id], list(case.backend.cancel(Filter(ids=[late.id]), limit=9, now=NOW)))
    case.equal(1, case.backend.purge([State.COMPLETED], before=NOW, limit=9))
    case.equal({dead.id, late.id}, set(case.backend.delete(Filter(), limit=9)))
    case.equal([True], _restore(case, done))


@example("RESTORE-06")
def times_are_rounded(case: Case) -> None:
    """A due time and a lease are stored exactly or less than time_precision later, every other time earlier."""
    tick = case.capabilities.time_precision
    for odd in (ODD_TICKS * tick, ODD_TICKS * tick + LEAST, 999_999 * LEAST):
        moment = NOW + odd
        entry = AttemptError(1, moment, ERROR)
        times = dict.fromkeys(("run_at", "created_at", "updated_at", "attempted_at"), moment)
        running = whole(State.RUNNING, **times, lease_until=moment)
        ended = whole(State.DISCARDED, **times, finished_at=moment, errors=(entry,))
        _restore(case, running, ended)
        for record in (case.stored(running), case.stored(ended)):
            for name in ("run_at", "lease_until"):
                _require_within(case, moment, getattr(record, name), timedelta(0), tick)
            for name in ("created_at", "updated_at", "attempted_at", "finished_at"):
                _require_within(case, moment, getattr(record, name), -tick, timedelta(0))
            for error in record.errors:
                _require_within(case, moment, error.at, -tick, timedelta(0))


def _require_within(case: Case, given: Any, stored: Any, low: timedelta, high: timedelta) -> None:
    off = timedelta(0) if stored is None else stored - given
    ok = off == timedelta(0) or low < off < high
    case.that(ok, f"{given.isoformat()}, less than {max(-low, high)} {'later' if high else 'earlier'}", stored)
