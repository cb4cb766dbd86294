"""Add up the attempts of a worker by minute, queue and kind."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock

from ..contract.outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from ..contract.registers import LONGEST_SUM, MeterDelta
from . import clock
from .execute import Ended
from .unknown import UNKNOWN


class _Sums:
    """The numbers of a minute, queue and kind."""

    __slots__ = ("counts", "running", "waiting")

    def __init__(self) -> None:
        self.counts: Counter[type[Outcome]] = Counter()
        self.waiting = timedelta(0)
        self.running = 0.0


class Meters:
    """The numbers that are not sent to the store yet. Jobs of unregistered kinds are not counted: they did not run."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: defaultdict[tuple[datetime, str, str], _Sums] = defaultdict(_Sums)

    def add(self, settled: Sequence[Ended]) -> None:
        """Add attempts whose outcomes are recorded. Their minute is the current one."""
        now, minute = clock.seconds(), datetime.now(UTC).replace(second=0, microsecond=0)
        with self._lock:
            for attempt, outcome, _ in settled:
                if attempt.definition is UNKNOWN:
                    continue
                record = attempt.record
                sums = self._sums[minute, record.queue, record.kind]
                sums.counts[type(outcome)] += 1
                sums.waiting += (record.attempted_at or record.run_at) - record.run_at
                sums.running += now - attempt.claimed_at

    def take(self) -> list[MeterDelta]:
        """Remove and return the numbers."""
        with self._lock:
            taken, self._sums = self._sums, defaultdict(_Sums)
        return [_delta(*key, sums) for key, sums in taken.items()]


def _delta(minute: datetime, queue: str, kind: str, sums: _Sums) -> MeterDelta:
    return MeterDelta(
        minute=minute,
        queue=queue,
        kind=kind,
        completed=sums.counts[Complete],
        retried=sums.counts[Retry],
        discarded=sums.counts[Discard],
        released=sums.counts[Release],
        cancelled=sums.counts[Cancel],
        waiting=_limited(sums.waiting),
        running=_limited(timedelta(seconds=sums.running)),
    )


def _limited(length: timedelta) -> timedelta:
    return min(max(length, timedelta(0)), LONGEST_SUM)
