"""The waiting jobs of one queue, in claiming order."""

from collections import deque
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
    """The due jobs in claiming order, and a heap of the future jobs by run_at.

    A due job that comes after all others, as most do, is appended to `in_order`, in constant time. The others are in
    the heap `ready`. Future jobs of high priority cost nothing.

    The entry of a job that is changed or deleted stays where it is, until `first` or `next_due` drops it. So a change
    of a job costs O(log n) at most, without a search.
    """

    def __init__(self, queue: str, records: Mapping[UUID, Record]) -> None:
        self._queue = queue
        self._records = records
        self._in_order: deque[Place] = deque()
        self._ready: list[Place] = []
        self._future: list[tuple[datetime, Place]] = []

    def add(self, record: Record) -> None:
        """Add a waiting record."""
        if record.run_at <= record.updated_at:  # it was due at its latest change
            self._add_due(place(record))
        else:
            heappush(self._future, (record.run_at, place(record)))

    def first(self, now: datetime) -> Place | None:
        """Return the sort key of the first due job, or None."""
        while self._future and self._future[0][0] <= now:
            self._add_due(heappop(self._future)[1])
        while self._in_order or self._ready:
            head = self._in_order[0] if self._is_in_order() else self._ready[0]
            if self._waits(head):
                if head[1] <= now:
                    return head
                heappush(self._future, (head[1], head))  # the clock went backwards
            self.drop_first()
        return None

    def drop_first(self) -> None:
        """Drop the entry that `first` returned, after its job was claimed."""
        if self._is_in_order():
            self._in_order.popleft()
        else:
            heappop(self._ready)

    def _add_due(self, place: Place) -> None:
        if not self._in_order or self._in_order[-1] < place:
            self._in_order.append(place)
        else:
            heappush(self._ready, place)

    def _is_in_order(self) -> bool:
        """Return whether the first due job is in `in_order`."""
        return not self._ready or (bool(self._in_order) and self._in_order[0] < self._ready[0])

    def next_due(self) -> datetime | None:
        """Return when the next future job is due, or None."""
        while self._future and not self._waits(self._future[0][1]):
            heappop(self._future)
        return self._future[0][0] if self._future else None

    def _waits(self, place: Place) -> bool:
        record = self._records.get(place[3])
        return (
            record is not None
            and record.state in CLAIMABLE
            and record.queue == self._queue
            and record.priority == -place[0]
            and record.run_at == place[1]
        )
