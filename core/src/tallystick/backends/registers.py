"""The effect of the calls about schedules, workers and meters, as pure functions."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import NamedTuple, Self

from ..contract.registers import WORKERS_KEPT, Meter, MeterDelta, WorkerInfo
from ..contract.schedules import Advance, Schedule
from .register_calls import AdvanceCall, MetersCall


class Numbers(NamedTuple):
    """The numbers of a meter."""

    completed: int
    retried: int
    discarded: int
    released: int
    cancelled: int
    waiting: timedelta
    running: timedelta

    @classmethod
    def of(cls, delta: MeterDelta) -> Self:
        """Return the numbers of a delta."""
        return cls(*(getattr(delta, name) for name in cls._fields))

    def plus(self, more: "Numbers") -> "Numbers":
        """Return the sum of two numbers."""
        return Numbers(
            self.completed + more.completed,
            self.retried + more.retried,
            self.discarded + more.discarded,
            self.released + more.released,
            self.cancelled + more.cancelled,
            self.waiting + more.waiting,
            self.running + more.running,
        )


def advanced(schedule: Schedule | None, advance: Advance, call: AdvanceCall) -> Schedule | None:
    """Return a schedule after an advance. Return None if the advance is rejected."""
    if schedule is None or schedule.revision != advance.revision or not call.is_due(advance):
        return None
    if advance.ticks and (schedule.paused or (schedule.last_tick and advance.ticks[0] <= schedule.last_tick)):
        return None
    return schedule._replace(
        next_tick=advance.next_tick,
        last_tick=advance.ticks[-1] if advance.ticks else schedule.last_tick,
        paused=advance.paused,
        revision=schedule.revision + 1,
        updated_at=schedule.updated_at if schedule.paused == advance.paused else call.now,
    )


def due(schedules: Iterable[Schedule], limit: int) -> Sequence[Schedule]:
    """Return the schedules that fire next, in the order of `due_schedules`."""
    waiting = [(each.next_tick, each.name, each) for each in schedules if each.next_tick and not each.paused]
    return [each for _, _, each in sorted(waiting, key=itemgetter(0, 1))[:limit]]


def is_kept(worker: WorkerInfo, now: datetime) -> bool:
    """Return whether a beat at `now` leaves a worker in the list."""
    return now <= worker.seen_at + worker.ttl + WORKERS_KEPT


def by_steps(numbers: Iterable[tuple[datetime, str, str, Numbers]], call: MetersCall) -> Sequence[Meter]:
    """Add up the numbers of minutes to steps, in the order of `meters`."""
    steps: dict[tuple[datetime, str, str], Numbers] = {}
    for minute, queue, kind, more in numbers:
        key = call.start(minute), queue, kind
        steps[key] = steps[key].plus(more) if key in steps else more
    return [Meter(*key, **steps[key]._asdict()) for key in sorted(steps)]
