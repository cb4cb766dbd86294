"""The waiting jobs of one queue, in claiming order."""

from collections.abc import Mapping
from datetime import datetime
from heapq import heappop, heappush
from uuid import UUID

from tallystick import CLAIMABLE, Record
from tallystick.backends.selection import claiming_order

Place = tuple[int, datetime, int, UUID]
"""The sort key of a job in claiming order: higher priority, then run_at, then id."""


def place(record: Record) -> Place:
    """Return the sort key of a record in claiming order."""
    return (*claiming_order(record), record.id)


class Lane:
    """Two heaps: `ready` in claiming order, `future` by run_at, so that future jobs of high priority cost nothing.

    The entry of a job that is changed or deleted stays in its heap, until `first` or `next_due` drops it. So each
    change of a job costs one push and one pop, O(log n), without a search.
    """

    def __init__(self, queue: str, records: Mapping[UUID, Record]) -> None:
        self._queue = queue
        self._records = records
        self._ready: list[Place] = []
        self._future: list[tuple[datetime, Place]] = []

    def add(self, record: Record) -> None:
        """Add a waiting record."""
        if record.run_at <= record.updated_at:  # it was due at its latest change
            heappush(self._ready, place(record))
        else:
            heappush(self._future, (record.run_at, place(record)))

    def first(self, now: datetime) -> Place | None:
        """Return the sort key of the first due job, or None."""
        while self._future and self._future[0][0] <= now:
            heappush(self._ready, heappop(self._future)[1])
        while self._ready:
            head = self._ready[0]
            if self._waits(head):
                if head[1] <= now:
                    return head
                heappush(self._future, (head[1], head))  # the clock went backwards
            heappop(self._ready)
        return None

    def drop_first(self) -> None:
        """Drop the entry that `first` returned, because its job was claimed."""
        heappop(self._ready)

    def next_due(self) -> datetime | None:
        """Return when the next future job is due, or None."""
        while self._future and not self._waits(self._future[0][1]):
            heappop(self._future)
        return self._future[0][0] if self._future else None

    def _waits(self, place: Place) -> bool:
        record = self._records.get(place[3])
        if record is None or record.state not in CLAIMABLE or record.queue != self._queue:
            return False
        return (-record.priority, record.run_at) == place[:2]
