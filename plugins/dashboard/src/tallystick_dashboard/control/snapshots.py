"""The numbers of a store at one moment, read by calls whose cost does not grow with the number of records."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tallystick import Backend, Filter, Meter, Queue, Schedule, State, WorkerInfo

from .counts import NONE, JobCount, count

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
STEPS = 60
"""How many minutes the chart of the overview shows."""

LIVE = (State.PENDING, State.RUNNING, State.RETRYING)
"""The states that are counted for each queue."""

WAITING = (State.PENDING, State.RETRYING)

MOST_DUE = 100
"""The due jobs of a queue are counted up to here, because the call reads them."""

_BASELINE = timedelta(hours=24)


class QueueSnapshot(NamedTuple):
    """The numbers of a queue."""

    name: str
    paused: bool
    by_state: Mapping[State, JobCount]
    """The states of `LIVE`."""
    due: JobCount
    oldest_due: datetime | None

    @property
    def waiting(self) -> JobCount:
        """The pending and the retrying jobs."""
        return self.by_state[State.PENDING].plus(self.by_state[State.RETRYING])


class StoreSnapshot(NamedTuple):
    """The numbers of a store at one moment."""

    at: datetime
    by_state: Mapping[State, JobCount]
    queues: Mapping[str, QueueSnapshot]
    """By name, sorted."""
    workers: Sequence[WorkerInfo]
    schedules: Sequence[Schedule]
    minutes: Sequence[Meter]
    """The meters of the last hour, by minutes."""
    day: Sequence[Meter]
    """The meters of the day before, by hours."""

    @property
    def kinds(self) -> set[str]:
        """The kinds that ran in the last day, or have a schedule."""
        return {meter.kind for meter in (*self.minutes, *self.day)} | {schedule.kind for schedule in self.schedules}


def read(backend: Backend, now: datetime, day: Sequence[Meter]) -> StoreSnapshot:
    """Read a snapshot."""
    by_state = {state: count(backend, Filter(states=[state])) for state in State}
    queues = [_queue(backend, queue, by_state, now) for queue in backend.queues()]
    return StoreSnapshot(
        at=now,
        by_state=by_state,
        queues={queue.name: queue for queue in queues},
        workers=backend.workers(),
        schedules=backend.schedules(),
        minutes=backend.meters(now - HOUR, now + MINUTE, step=MINUTE),
        day=day,
    )


def read_day(backend: Backend, now: datetime) -> Sequence[Meter]:
    """Read the meters of the day before the last hour, with which the last hour is compared."""
    return backend.meters(now - HOUR - _BASELINE, now - HOUR, step=HOUR)


def _queue(backend: Backend, queue: Queue, totals: Mapping[State, JobCount], now: datetime) -> QueueSnapshot:
    counts = {
        state: count(backend, Filter(states=[state], queues=[queue.name])) if totals[state].count else NONE
        for state in LIVE
    }
    has_waiting = any(counts[state].count for state in WAITING)
    due, oldest = _due(backend, queue.name, now) if has_waiting else (NONE, None)
    return QueueSnapshot(queue.name, queue.paused, counts, due, oldest)


def _due(backend: Backend, queue: str, now: datetime) -> tuple[JobCount, datetime | None]:
    """Count the due jobs of a queue, and return the time since which the oldest is due. Read one job if none is due."""
    filter = Filter(queues=[queue])
    first = backend.list(filter, limit=1, order="run_at")
    if not first or first[0].run_at > now:
        return NONE, None
    following = backend.list(filter, limit=MOST_DUE, order="run_at", after=(first[0].run_at, first[0].id))
    found = 1 + sum(record.run_at <= now for record in following)
    return JobCount(count=min(found, MOST_DUE), complete=found <= MOST_DUE), first[0].run_at
