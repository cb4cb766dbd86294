"""One snapshot of the store for all viewers. It is read again at most once an interval, and only if someone looks."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic
from typing import NamedTuple

from tallystick import Backend, Meter, Schedule, Stats, WorkerInfo

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
STEPS = 60
"""How many minutes the chart of the overview shows."""

_BASELINE = timedelta(hours=24)

_REST = 10
"""A slow store rests this many times as long as its last read took."""


class StoreSnapshot(NamedTuple):
    """The numbers of a store at one moment."""

    at: datetime
    stats: Stats
    workers: Sequence[WorkerInfo]
    schedules: Sequence[Schedule]
    minutes: Sequence[Meter]
    """The meters of the last hour, by minutes."""
    day: Sequence[Meter]
    """The meters of the day before, by hours."""


def read(backend: Backend, now: datetime) -> StoreSnapshot:
    """Read a snapshot."""
    return StoreSnapshot(
        at=now,
        stats=backend.stats(),
        workers=backend.workers(),
        schedules=backend.schedules(),
        minutes=backend.meters(now - HOUR, now + MINUTE, step=MINUTE),
        day=backend.meters(now - HOUR - _BASELINE, now - HOUR, step=HOUR),
    )


class Snapshots:
    """Shares a snapshot between all viewers."""

    def __init__(
        self,
        backend: Callable[[], Backend],
        interval: timedelta,
        *,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._backend = backend
        self._interval = interval.total_seconds()
        self._clock = clock
        self._now = now
        self._lock = Lock()
        self._read_at = -1.0
        self._took = 0.0
        self._latest: StoreSnapshot | None = None

    def get(self) -> StoreSnapshot:
        """Return the latest snapshot, or a new one if it is older than the interval. Callers share one read."""
        with self._lock:
            began = self._clock()
            if self._latest is None or began - self._read_at >= self._lifetime():
                self._latest = read(self._backend(), self._now())
                self._read_at = self._clock()
                self._took = self._read_at - began
            return self._latest

    def _lifetime(self) -> float:
        return max(self._interval, _REST * self._took) if self._interval else 0.0

    def forget(self) -> None:
        """Read anew at the next call, because an action changed the store."""
        with self._lock:
            self._latest = None
