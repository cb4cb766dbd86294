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

    def add(self, settled: Sequence[Ended], now: float) -> None:
        """Add attempts of this minute, queue and kind."""
        records = [attempt.record for attempt, _, _ in settled]
        self.counts.update([type(outcome) for _, outcome, _ in settled])
        self.waiting += sum([(one.attempted_at or one.run_at) - one.run_at for one in records], timedelta(0))
        self.running += sum([now - attempt.claimed_at for attempt, _, _ in settled])


class Meters:
    """The numbers that are not sent to the store yet. Jobs of unregistered kinds are not counted: they did not run."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: defaultdict[tuple[datetime, str, str], _Sums] = defaultdict(_Sums)

    def add(self, settled: Sequence[Ended]) -> None:
        """Add attempts whose outcomes are recorded. Their minute is the current one."""
        now, minute = clock.seconds(), datetime.now(UTC).replace(second=0, microsecond=0)
        together: defaultdict[tuple[str, str], list[Ended]] = defaultdict(list)
        for ended in settled:
            record = ended.attempt.record
            if ended.attempt.definition is not UNKNOWN:
                together[record.queue, record.kind].append(ended)
        with self._lock:
            for (queue, kind), some in together.items():
                self._sums[minute, queue, kind].add(some, now)

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
