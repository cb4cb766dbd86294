"""Fire the due ticks of schedules. The scheduler of a worker and the testers share this code."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from ..contract.backend import Backend
from ..contract.schedules import Advance, Schedule, due_ticks
from ..errors import BackendError, InvalidArgument

LIMIT = 100
"""The most schedules of one read, and the most ticks of one schedule that fire in one call."""


def is_due(schedule: Schedule, now: datetime) -> bool:
    """Return whether a schedule has a tick to fire or to skip."""
    return schedule.next_tick is not None and schedule.next_tick <= now


class Firing:
    """Decides which ticks fire, and advances schedules. `on_broken` is called for a schedule that cannot fire."""

    def __init__(self, backend: Backend, batch: int, on_broken: Callable[[str, int, Exception], None]) -> None:
        self._backend = backend
        self._batch = batch
        self._on_broken = on_broken

    def advances(self, schedules: Sequence[Schedule], now: datetime) -> Iterator[Advance]:
        """Yield what to fire now, for at most `batch` schedules with at most `batch` ticks in all."""
        due = [schedule for schedule in schedules if is_due(schedule, now)][: self._batch]
        for schedule in due:
            try:
                ticks, next_tick = due_ticks(schedule, now, limit=min(LIMIT, self._batch // len(due)))
            except InvalidArgument as exc:
                self._on_broken(schedule.name, schedule.revision, exc)
            else:
                yield Advance(name=schedule.name, revision=schedule.revision, ticks=ticks, next_tick=next_tick)

    def advance(self, advances: Sequence[Advance]) -> bool:
        """Fire ticks; return whether all were fired. If the store rejects the call, make one for each schedule."""
        try:
            return all(self._backend.advance(advances))
        except BackendError:
            raise
        except Exception as exc:
            if len(advances) > 1:
                return [self.advance([advance]) for advance in advances].count(False) == 0
            self._on_broken(advances[0].name, advances[0].revision, exc)
            return True
