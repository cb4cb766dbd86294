"""All jobs and queues in memory, an index for each question that a worker asks often, and the changes of this step."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import merge
from typing import Any
from uuid import UUID

from tallystick import CLAIMABLE, FINAL, Claim, Record, State

from . import rows

Change = tuple[str, Any, Any]
"""What one call did to one thing, as JSON keeps it: `put` a job, `remove` one, or set whether a `queue` is paused."""


class Store:
    """What the file says. Each change is made here and noted in `changes`, which the log writes at the step's end."""

    def __init__(self) -> None:
        self.records: dict[UUID, Record] = {}
        self.queues: dict[str, bool] = {}  # name: paused
        self.running: set[UUID] = set()
        self.changes: list[Change] = []
        self._holders: dict[str | None, UUID] = {}  # unique key: the job that holds it
        self._waiting: defaultdict[tuple[str, int], list[tuple[datetime, UUID]]] = defaultdict(list)

    def put(self, record: Record) -> Record:
        """Store a job as it is now."""
        self._forget(record.id)
        self.records[record.id] = record
        if record.state in CLAIMABLE:
            insort(self._waiting[record.queue, record.priority], (record.run_at, record.id))
        elif record.state is State.RUNNING:
            self.running.add(record.id)
        if record.unique_key is not None and (record.state not in FINAL or record.unique_until == "purged"):
            self._holders[record.unique_key] = record.id
        self.changes.append(("put", record.id.hex, record))
        return record

    def remove(self, id: UUID) -> None:
        """Forget a job."""
        self._forget(id)
        self.changes.append(("remove", id.hex, None))

    def set_queue(self, name: str, *, paused: bool) -> None:
        """Know a queue from now on, as paused or not."""
        if self.queues.get(name) is not paused:
            self.queues[name] = paused
            self.changes.append(("queue", name, paused))

    def repeat(self, changes: Sequence[Sequence[Any]]) -> None:
        """Make the changes of a step that was read from the file."""
        for what, name, value in changes:
            match what:
                case "put":
                    self.put(rows.record(value))
                case "remove":
                    self.remove(UUID(name))
                case "queue":
                    self.set_queue(name, paused=value)

    def due(self, queues: Sequence[str], now: datetime) -> Iterator[UUID]:
        """Yield the ids of due jobs in claiming order. It looks at what it yields, and one more of each priority."""
        names = {name for name in queues if not self.queues.get(name)}
        for priority in sorted({priority for name, priority in self._waiting if name in names}, reverse=True):
            for run_at, id in merge(*(self._waiting.get((name, priority), ()) for name in names)):
                if run_at > now:
                    break
                yield id

    def current(self, claim: Claim) -> Record | None:
        """Return the record that a claim is about, if it is the record's own and the job runs: the fence."""
        record = self.records.get(claim.id)
        return record if record and record.state is State.RUNNING and record.attempt == claim.attempt else None

    def holder(self, record: Record) -> Record | None:
        """Return the record that holds a record's unique key."""
        return self.records[self._holders[record.unique_key]] if record.unique_key in self._holders else None

    def _forget(self, id: UUID) -> None:
        record = self.records.pop(id, None)
        if record is None:
            return
        if record.state in CLAIMABLE:
            line = self._waiting[record.queue, record.priority]
            del line[bisect_left(line, (record.run_at, id))]
        self.running.discard(id)
        if self._holders.get(record.unique_key) == id:
            del self._holders[record.unique_key]
