"""The state of one store. Replace this class by your database: it keeps jobs in this process only."""

from datetime import datetime
from threading import RLock
from uuid import UUID

from tallystick import Queue, Record
from tallystick.backends import keys


class Store:
    """The records by id, the holders of unique keys, and the known queues. `lock` makes each call one step."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.clear()

    def clear(self) -> None:
        """Remove everything."""
        self.records: dict[UUID, Record] = {}
        self.holders: dict[str, UUID] = {}
        self.paused: dict[str, bool] = {}

    def add(self, record: Record) -> None:
        """Store a new record. It takes its unique key, and its queue is known from now on."""
        self.records[record.id] = record
        self.paused.setdefault(record.queue, False)
        if record.unique_key is not None:
            self.holders[record.unique_key] = record.id

    def holder(self, unique_key: str | None, now: datetime) -> Record | None:
        """Return the record that holds a unique key, unless its time has passed."""
        if unique_key is None or unique_key not in self.holders:
            return None
        holder = self.records[self.holders[unique_key]]
        return None if keys.has_passed(holder, now) else holder

    def queues(self) -> list[Queue]:
        """Return the known queues, sorted by name."""
        return [Queue(name, paused) for name, paused in sorted(self.paused.items())]
