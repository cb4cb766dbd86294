"""The whole store in memory, with indexes for the frequent queries, and the changes of the current step."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge
from typing import Any
from uuid import UUID

from tallystick import CLAIMABLE, Beat, Claim, Record, Schedule, State, WorkerInfo
from tallystick.backends import keys, registers, restore_calls

from . import rows

Change = tuple[str, Any, Any]
"""One change as JSON: the name of a method of the store, and its two arguments."""


class Store:
    """The content of the file. Each change is also added to `changes`, which the log writes at the end of the step."""

    def __init__(self) -> None:
        self.records: dict[UUID, Record] = {}
        self.queues: dict[str, bool] = {}  # name: paused
        self.running: set[UUID] = set()
        self.schedules: dict[str, Schedule] = {}
        self.workers: dict[str, WorkerInfo] = {}
        self.meters: dict[rows.Meter, registers.Numbers] = {}
        self.changes: list[Change] = []
        self._holders: dict[str | None, UUID] = {}  # unique key: the job that holds it
        self._waiting: defaultdict[tuple[str, int], list[tuple[datetime, UUID]]] = defaultdict(list)

    def put(self, record: Record) -> Record:
        """Insert or replace a job. A new job takes its unique key."""
        if self._unlink(record.id) is None and record.unique_key is not None:
            self._holders[record.unique_key] = record.id
        self.records[record.id] = record
        if record.state in CLAIMABLE:
            insort(self._waiting[record.queue, record.priority], (record.run_at, record.id))
        elif record.state is State.RUNNING:
            self.running.add(record.id)
        self.changes.append(("put", record.id.hex, record))
        if not keys.holds(record):
            self.drop_key(record)
        return record

    def add(self, placed: restore_calls.Placed) -> None:
        """Insert a job in any state, make its queue known, and let it hold the key that it was given."""
        record = placed.record
        holder = self._holders.get(record.unique_key)
        self.know_queue(record.queue)
        self.put(record)
        if placed.held_key is None and record.unique_key is not None:
            self._set_holder(record.unique_key, None if holder is None else holder.hex)

    def remove(self, id: UUID) -> None:
        """Delete a job."""
        record = self._unlink(id)
        self.changes.append(("remove", id.hex, None))
        if record is not None:
            self.drop_key(record)

    def set_queue(self, name: str, *, paused: bool) -> None:
        """Make a queue known, and set whether it is paused."""
        if self.queues.get(name) is not paused:
            self.queues[name] = paused
            self.changes.append(("queue", name, paused))

    def know_queue(self, name: str) -> None:
        """Make a queue known, if it is not."""
        if name not in self.queues:
            self.set_queue(name, paused=False)

    def set_schedule(self, name: str, schedule: Schedule | None) -> None:
        """Store a schedule, or remove it."""
        _set(self.schedules, name, schedule)
        self.changes.append(("schedule", name, schedule))

    def set_worker(self, name: str, beat: Beat | None, seen_at: datetime, ttl: timedelta) -> None:
        """Store a worker, or remove it."""
        _set(self.workers, name, beat and beat.info(seen_at, ttl))
        self.changes.append(("worker", name, beat and (beat, seen_at, ttl)))

    def set_meter(self, key: rows.Meter, numbers: registers.Numbers | None) -> None:
        """Store the numbers of a minute, or remove them."""
        _set(self.meters, key, numbers)
        self.changes.append(("meter", key, numbers))

    def repeat(self, changes: Sequence[Sequence[Any]]) -> None:
        """Apply the changes of a step from the file."""
        for what, name, value in changes:
            match what:
                case "put":
                    self.put(rows.record(value))
                case "remove":
                    self.remove(UUID(name))
                case "key":
                    self._set_holder(name, value)
                case "queue":
                    self.set_queue(name, paused=value)
                case "schedule":
                    _set(self.schedules, name, value and rows.schedule(value))
                case "worker":
                    _set(self.workers, name, value and rows.worker(name, value))
                case "meter":
                    _set(self.meters, rows.meter(name), value and rows.numbers(value))

    def due(self, queues: Sequence[str], now: datetime) -> Iterator[UUID]:
        """Yield the ids of due jobs in claiming order. It reads only these and one more per priority."""
        names = {name for name in queues if not self.queues.get(name)}
        for priority in sorted({priority for name, priority in self._waiting if name in names}, reverse=True):
            for run_at, id in merge(*(self._waiting.get((name, priority), ()) for name in names)):
                if run_at > now:
                    break
                yield id

    def current(self, claim: Claim) -> Record | None:
        """Return the record of a claim if the job runs and the claim has its current attempt. Rejects stale claims."""
        record = self.records.get(claim.id)
        return record if record and record.state is State.RUNNING and record.attempt == claim.attempt else None

    def holder(self, record: Record, now: datetime) -> Record | None:
        """Return the record that holds the unique key of `record`, or None. Free the key if its time has passed."""
        id = self._holders.get(record.unique_key)
        if id is not None and keys.has_passed(self.records[id], now):
            self.drop_key(self.records[id])
            return None
        return None if id is None else self.records[id]

    def take_key(self, record: Record) -> None:
        """Make a record the holder of its unique key, if it has one."""
        if record.unique_key is not None and self._holders.get(record.unique_key) != record.id:
            self._set_holder(record.unique_key, record.id.hex)

    def drop_key(self, record: Record) -> None:
        """Free the unique key of a record, if it holds one."""
        if record.unique_key is not None and self._holders.get(record.unique_key) == record.id:
            self._set_holder(record.unique_key, None)

    def _set_holder(self, key: str, holder: str | None) -> None:
        _set(self._holders, key, holder and UUID(holder))
        self.changes.append(("key", key, holder))

    def _unlink(self, id: UUID) -> Record | None:
        record = self.records.pop(id, None)
        if record is None:
            return None
        if record.state in CLAIMABLE:
            line = self._waiting[record.queue, record.priority]
            del line[bisect_left(line, (record.run_at, id))]
        self.running.discard(id)
        return record


def _set(entries: dict[Any, Any], key: Any, value: Any) -> None:
    """Store an entry, or remove it if the value is None."""
    if value is None:
        entries.pop(key, None)
    else:
        entries[key] = value
