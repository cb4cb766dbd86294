"""The model: the contract in the simplest Python, without regard for speed.

The model shares no helper with any backend, only the value types. It keeps no index: it searches all records for the
holder of a key or the due jobs, so no index can be out of date.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from tallystick import (
    LEASE_EXPIRED,
    AttemptError,
    Cancel,
    Changes,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    Inserted,
    NewRecord,
    Order,
    Outcome,
    Progress,
    ProgressReport,
    Queue,
    QueueStats,
    Record,
    Release,
    Retry,
    State,
    Stats,
)

from .eligibility import (
    FINAL,
    claim_order,
    fits,
    has_passed,
    holds_key,
    is_due,
    is_expired,
    is_on_page,
    is_purgeable,
    meets,
    page_key,
    page_place,
    takes_key,
)

_MOST_ERRORS = 20
_TYPE, _MESSAGE, _TRACEBACK = 255, 1_000, 8_000
"""The maximum lengths of the parts of a kept error."""


class Model:
    """The expected contents of a store. Queries return all allowed choices; each change is for one record."""

    def __init__(self) -> None:
        self.records: dict[UUID, Record] = {}
        self.paused: dict[str, bool] = {}
        """Every known queue, and whether it is paused."""
        self.freed: set[UUID] = set()
        """The jobs whose unique key is free for good, because their time had passed when it was named again."""

    def copy(self) -> "Model":
        """Return an independent copy."""
        other = Model()
        other.records, other.paused, other.freed = dict(self.records), dict(self.paused), set(self.freed)
        return other

    def holder(self, key: str | None, now: datetime) -> Record | None:
        """Return the record that holds a unique key, or None."""
        for record in self.records.values():
            if key is not None and record.unique_key == key and holds_key(record) and record.id not in self.freed:
                return None if has_passed(record, now) else record
        return None

    def _free_passed(self, key: str | None, now: datetime) -> None:
        for record in self.records.values():
            if key is not None and record.unique_key == key and has_passed(record, now):
                self.freed.add(record.id)

    def current(self, claim: Claim) -> Record | None:
        """Return the record if the claim is its running attempt, or None."""
        record = self.records.get(claim.id)
        if record is not None and record.state == State.RUNNING and record.attempt == claim.attempt:
            return record
        return None

    def due(self, queues: Sequence[str], now: datetime) -> list[Record]:
        """Return the claimable records, in claiming order."""
        found = [
            record
            for record in self.records.values()
            if is_due(record, now) and record.queue in queues and not self.paused[record.queue]
        ]
        return sorted(found, key=claim_order)

    def running(self) -> list[Record]:
        """Return the running records."""
        return [record for record in self.records.values() if record.state == State.RUNNING]

    def expired(self, now: datetime) -> list[Record]:
        """Return the running records with an expired lease."""
        return [record for record in self.records.values() if is_expired(record, now)]

    def fitting(self, filter: Filter) -> list[Record]:
        """Return the records that fit a filter, newest first."""
        found = [record for record in self.records.values() if fits(filter, record)]
        return sorted(found, key=lambda record: record.id.bytes, reverse=True)

    def page(self, filter: Filter, order: Order, after: Any) -> list[Record]:
        """Return the records behind a position, in an order."""
        found = [record for record in self.records.values() if fits(filter, record) and is_on_page(record, order)]
        ascends = order == "run_at"
        found.sort(key=lambda record: page_key(page_place(record, order)), reverse=not ascends)
        if after is None:
            return found
        start = page_key(after)
        places = [(page_key(page_place(record, order)), record) for record in found]
        return [record for place, record in places if (place > start if ascends else place < start)]

    def purgeable(self, states: Sequence[State], **selection: Any) -> list[Record]:
        """Return the records that a purge may delete."""
        return [record for record in self.records.values() if is_purgeable(record, states, **selection)]

    def queues(self) -> list[Queue]:
        """Return every known queue."""
        return [Queue(name, self.paused[name]) for name in sorted(self.paused)]

    def stats(self, now: datetime) -> Stats:
        """Return the expected stats."""
        records = list(self.records.values())
        return Stats(
            total=len(records),
            by_state={state: sum(record.state == state for record in records) for state in State},
            by_kind=dict(Counter(record.kind for record in records)),
            by_queue={name: self._queue_stats(name, now) for name in self.paused},
        )

    def _queue_stats(self, name: str, now: datetime) -> QueueStats:
        records = [record for record in self.records.values() if record.queue == name]
        due = [record.run_at for record in records if is_due(record, now)]
        by_state = {state: sum(record.state == state for record in records) for state in State}
        return QueueStats(len(records), len(due), min(due) if due else None, self.paused[name], by_state)

    def insert(self, new: NewRecord, now: datetime) -> Inserted:
        """Store a new job, or return its duplicate, perhaps changed."""
        self._free_passed(new.unique_key, now)
        if new.id in self.records:
            return Inserted(self.records[new.id], created=False)
        holder = self.holder(new.unique_key, now)
        if holder is not None and meets(holder, new):
            self._meet(holder, new, now)
            return Inserted(self.records[holder.id], created=False, applied=new.on_conflict)
        if holder is not None:
            return Inserted(holder, created=False)
        record = Record(
            id=new.id,
            kind=new.kind,
            queue=new.queue,
            payload=new.payload,
            priority=new.priority,
            state=State.PENDING,
            attempt=0,
            max_attempts=new.max_attempts,
            run_at=_moment(new.run_at, now),
            created_at=now,
            updated_at=now,
            attempted_at=None,
            finished_at=None,
            lease_until=None,
            worker=None,
            cancel_requested=False,
            unique_key=new.unique_key,
            unique_until=new.unique_until,
            last_error=None,
            result=None,
            tags=new.tags,
            meta=new.meta,
        )
        self.records[record.id] = record
        self.freed.discard(record.id)
        self.paused.setdefault(record.queue, False)
        return Inserted(record, created=True)

    def _meet(self, holder: Record, new: NewRecord, now: datetime) -> None:
        self._change(holder.id, now, payload=new.payload, tags=new.tags, meta=new.meta)
        if new.on_conflict == "debounce":
            run_at = _moment(new.run_at, now)
            latest = run_at if new.debounce_max is None else holder.created_at + new.debounce_max
            self._change(holder.id, now, run_at=min(run_at, latest))

    def claim(self, id: UUID, worker: str, lease: timedelta, now: datetime) -> None:
        """Start an attempt."""
        self._change(
            id,
            now,
            state=State.RUNNING,
            attempt=self.records[id].attempt + 1,
            lease_until=now + lease,
            worker=worker,
            attempted_at=now,
            progress=None,
        )

    def extend(self, id: UUID, lease: timedelta, now: datetime) -> None:
        """Extend the lease of an attempt."""
        self._change(id, now, lease_until=now + lease)

    def report(self, report: ProgressReport, now: datetime) -> None:
        """Set the progress of an attempt."""
        self._change(report.claim.id, now, progress=Progress(report.fraction, report.message, now))

    def settle(self, outcome: Outcome, now: datetime) -> None:
        """Apply an outcome to a running attempt."""
        id = outcome.claim.id
        flagged = self.records[id].cancel_requested
        if isinstance(outcome, Retry | Discard):
            self._fail(id, outcome.error, now)
        match outcome:
            case Complete(_, result):
                self._end(id, State.COMPLETED, now, result=result)
            case Discard():
                self._end(id, State.DISCARDED, now)
            case Cancel():
                self._end(id, State.CANCELLED, now)
            case Retry() if flagged:
                self._end(id, State.CANCELLED, now)
            case Retry(_, run_at, _):
                self._change(id, now, state=State.RETRYING, run_at=_moment(run_at, now), lease_until=None)
            case Release() if flagged:
                self._end(id, State.CANCELLED, now, max_attempts=self.records[id].max_attempts + 1)
            case Release(_, run_at):
                run_at, more = _moment(run_at, now), self.records[id].max_attempts + 1
                self._change(id, now, state=State.PENDING, run_at=run_at, max_attempts=more, lease_until=None)
            case _:
                assert_never(outcome)

    def rescue(self, id: UUID, now: datetime) -> None:
        """End an attempt with an expired lease."""
        record = self.records[id]
        self._fail(id, LEASE_EXPIRED, now)
        if record.cancel_requested:
            self._end(id, State.CANCELLED, now)
        elif record.attempt >= record.max_attempts:
            self._end(id, State.DISCARDED, now)
        else:
            self._change(id, now, state=State.RETRYING, run_at=now, lease_until=None)

    def cancel(self, id: UUID, now: datetime) -> None:
        """Cancel a waiting job, or set the flag on a running one."""
        if self.records[id].state == State.RUNNING:
            self._change(id, now, cancel_requested=True)
        else:
            self._end(id, State.CANCELLED, now)

    def requeue(self, id: UUID, now: datetime) -> None:
        """Make a job pending again."""
        record = self.records[id]
        if takes_key(record, now):
            self._free_passed(record.unique_key, now)
            self.freed.discard(id)
        else:
            self.freed.add(id)
        self._change(
            id,
            now,
            state=State.PENDING,
            run_at=now,
            max_attempts=max(record.max_attempts, record.attempt + 1),
            finished_at=None,
            result=None,
            cancel_requested=False,
        )

    def update(self, id: UUID, changes: Changes, now: datetime) -> None:
        """Change a waiting job."""
        given = {"run_at": changes.run_at, "priority": changes.priority, "queue": changes.queue}
        self._change(id, now, **{name: value for name, value in given.items() if value is not None})
        self.paused.setdefault(self.records[id].queue, False)

    def restore(self, records: Sequence[Record], now: datetime) -> list[bool] | None:
        """Store whole records, and return whether each is new. None: a record is rejected, and nothing is stored."""
        after = self.copy()
        answers = [after._restore(record, now) for record in records]  # noqa: SLF001 - its own class
        if None in answers:
            return None
        self.records, self.paused, self.freed = after.records, after.paused, after.freed
        return [bool(answer) for answer in answers]

    def _restore(self, record: Record, now: datetime) -> bool | None:
        """Store one record. None: it is not final, and another job holds the key that it needs."""
        if record.id in self.records:
            return False
        self.freed.discard(record.id)
        if not holds_key(record) or has_passed(record, now):
            self.freed.add(record.id)
        else:
            self._free_passed(record.unique_key, now)
            if self.holder(record.unique_key, now) is not None:
                if record.state not in FINAL:
                    return None
                self.freed.add(record.id)
        self.records[record.id] = record
        self.paused.setdefault(record.queue, False)
        return True

    def _fail(self, id: UUID, error: Failure, now: datetime) -> None:
        record = self.records[id]
        errors = (*record.errors, kept_error(record.attempt, now, error))
        self._change(id, now, last_error=error, errors=errors[-_MOST_ERRORS:])

    def _end(self, id: UUID, state: State, now: datetime, **fields: object) -> None:
        self._change(id, now, state=state, finished_at=now, lease_until=None, **fields)

    def _change(self, id: UUID, now: datetime, **fields: object) -> None:
        self.records[id] = self.records[id]._replace(updated_at=now, **fields)  # type: ignore[arg-type]


def kept_error(attempt: int, at: datetime, error: Failure) -> AttemptError:
    """Return the entry of `errors` for an error."""
    traceback = error.traceback
    kept = traceback if len(traceback) <= _TRACEBACK else traceback[len(traceback) - _TRACEBACK :]
    return AttemptError(attempt, at, Failure(error.type[:_TYPE], error.message[:_MESSAGE], kept))


def bare(record: Record) -> Record:
    """Return a record as each call except `get` returns it."""
    return record._replace(errors=(), progress=None)


def _moment(value: datetime | timedelta | None, now: datetime) -> datetime:
    if value is None:
        return now
    return value if isinstance(value, datetime) else now + value
