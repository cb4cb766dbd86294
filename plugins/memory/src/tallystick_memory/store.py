"""The state that all clients of one store share: immutable records by id, and indexes for frequent queries."""

from collections.abc import Iterator
from datetime import datetime
from heapq import heappop, heappush
from threading import Condition
from uuid import UUID

from tallystick import CLAIMABLE, FINAL, Claim, Queue, Record, Schedule, State, WorkerInfo
from tallystick.backends import keys, registers, transitions
from tallystick.backends.calls import PurgeCall
from tallystick.backends.restore_calls import Placed

from .lane import Lane


class Store:
    """Records and their indexes. `changed` is the store's lock, and wakes the calls that wait for a job."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.clients = 0
        self.clear()

    def clear(self) -> None:
        """Remove everything."""
        self.records: dict[UUID, Record] = {}
        self.running: set[UUID] = set()
        self.lanes: dict[str, Lane] = {}
        self.paused: set[str] = set()
        self.holders: dict[str, UUID] = {}
        self.schedules: dict[str, Schedule] = {}
        self.workers: dict[str, WorkerInfo] = {}
        self.meters: dict[tuple[datetime, str, str], registers.Numbers] = {}
        self._finished: dict[State, list[tuple[datetime, UUID]]] = {state: [] for state in FINAL}

    def is_unused(self) -> bool:
        """Check that the store has no clients and no content."""
        return not (self.clients or self.lanes or self.schedules or self.workers or self.meters)

    def lane(self, queue: str) -> Lane:
        """Return the lane of a queue, and make the queue known."""
        if queue not in self.lanes:
            self.lanes[queue] = Lane(queue, self.records)
        return self.lanes[queue]

    def put(self, record: Record) -> None:
        """Store a record in its new state, and update every index. A new record takes its unique key."""
        if record.unique_key is not None:
            if record.id not in self.records:
                self.take_key(record)
            elif not keys.holds(record):
                self.drop_key(record)
        self.records[record.id] = record
        if record.state is State.RUNNING:
            self.running.add(record.id)
            return
        self.running.discard(record.id)
        if record.state in CLAIMABLE:
            self.lane(record.queue).add(record)
        else:
            assert record.finished_at is not None
            heappush(self._finished[record.state], (record.finished_at, record.id))

    def add(self, placed: Placed) -> None:
        """Store a new record in any state, make its queue known, and let it hold the key that it was given."""
        record = placed.record
        self.lane(record.queue)
        self.records[record.id] = record  # `put` lets only a record that is not stored yet take its key
        self.put(record)
        if placed.held_key is not None:
            self.holders[placed.held_key] = record.id

    def remove(self, record: Record) -> None:
        """Remove a record."""
        del self.records[record.id]
        self.drop_key(record)

    def queues(self) -> list[Queue]:
        """Return the known queues, sorted by name."""
        return [Queue(name, name in self.paused) for name in sorted(self.lanes)]

    def current(self, claim: Claim) -> Record | None:
        """Return the record of a claim, or None if the claim is stale."""
        record = self.records.get(claim.id)
        return record if record is not None and transitions.is_current(record, claim.attempt) else None

    def holder(self, unique_key: str | None) -> Record | None:
        """Return the record that holds a unique key, or None. Its time may have passed."""
        return self.records[self.holders[unique_key]] if unique_key in self.holders else None

    def take_key(self, record: Record) -> None:
        """Make a record the holder of its unique key, if it has one."""
        if record.unique_key is not None:
            self.holders[record.unique_key] = record.id

    def free_key(self, unique_key: str | None, now: datetime) -> None:
        """Free a unique key if the time of its holder has passed."""
        holder = self.holder(unique_key)
        if holder is not None and keys.has_passed(holder, now):
            self.drop_key(holder)

    def drop_key(self, record: Record) -> None:
        """Free the unique key of a record, if it holds one."""
        if record.unique_key is not None and self.holders.get(record.unique_key) == record.id:
            del self.holders[record.unique_key]

    def finished(self, state: State, purge: PurgeCall) -> Iterator[Record]:
        """Yield the records in this state that a purge selects. The caller must remove each record that it takes."""
        heap, kept = self._finished[state], []
        try:
            while heap and heap[0][0] < purge.before:
                finished_at, id = place = heappop(heap)
                record = self.records.get(id)
                if record is None or record.state is not state or record.finished_at != finished_at:
                    continue
                if purge.selects(record.kind, finished_at):
                    yield record
                else:
                    kept.append(place)
        finally:
            for place in kept:
                heappush(heap, place)
