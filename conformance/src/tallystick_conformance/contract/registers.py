"""The model of the registers beside the jobs: schedules, workers and meters."""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from tallystick import Advance, Beat, Meter, MeterDelta, NewRecord, NewSchedule, Schedule, WorkerInfo

from .model import Model

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_RULE = ("rule", "zone", "start", "end")
_STATE = ("next_tick", "last_tick", "paused", "revision", "created_at", "updated_at")
_DEFINITION = tuple(name for name in Schedule._fields if name not in _STATE)
_NUMBERS = ("completed", "retried", "discarded", "released", "cancelled", "waiting", "running")


class Registers:
    """The expected schedules, workers and meters. The jobs of ticks go to the model of the jobs."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.schedules: dict[str, Schedule] = {}
        self.workers: dict[str, WorkerInfo] = {}
        self.meters: dict[tuple[datetime, str, str], list[Any]] = {}

    def put(self, new: NewSchedule, now: datetime) -> Schedule:
        """Store or change a schedule."""
        definition = {name: getattr(new, name) for name in _DEFINITION}
        old = self.schedules.get(new.name)
        if old is None:
            self.schedules[new.name] = Schedule(
                **definition,
                next_tick=new.next_tick,
                last_tick=new.last_tick,
                paused=new.paused,
                revision=1,
                created_at=new.created_at or now,
                updated_at=now,
            )
        elif not is_same(new, old):
            moved = any(getattr(new, name) != getattr(old, name) for name in _RULE)
            self.schedules[new.name] = old._replace(
                **definition,
                next_tick=new.next_tick if moved else old.next_tick,
                revision=old.revision + 1,
                updated_at=now,
            )
        return self.schedules[new.name]

    def named(self, names: Collection[str] | None) -> list[Schedule]:
        """Return the schedules with these names, or all, sorted by name."""
        return [self.schedules[name] for name in sorted(self.schedules) if names is None or name in names]

    def due(self) -> list[Schedule]:
        """Return the schedules that fire, in order."""
        firing = [each for each in self.schedules.values() if each.next_tick is not None and not each.paused]
        return sorted(firing, key=lambda each: (each.next_tick, each.name))

    def applies(self, advance: Advance, now: datetime) -> bool:
        """Return whether an advance is applied."""
        schedule = self.schedules.get(advance.name)
        if schedule is None or schedule.revision != advance.revision:
            return False
        last = schedule.last_tick
        return not advance.ticks or (
            not schedule.paused and max(advance.ticks) <= now and (last is None or min(advance.ticks) > last)
        )

    def advance(self, advance: Advance, now: datetime) -> list[UUID]:
        """Apply an advance, and return the ids of the new jobs."""
        schedule = self.schedules[advance.name]
        answers = [self._model.insert(job_of(schedule, tick), now) for tick in advance.ticks]
        self.schedules[advance.name] = schedule._replace(
            next_tick=advance.next_tick,
            last_tick=max(advance.ticks, default=schedule.last_tick),
            paused=advance.paused,
            revision=schedule.revision + 1,
            updated_at=now if schedule.paused is not advance.paused else schedule.updated_at,
        )
        return [answer.record.id for answer in answers if answer.created]

    def remove(self, names: Collection[str]) -> list[str]:
        """Remove schedules, and return the names of the removed ones."""
        return [name for name in sorted(set(names)) if self.schedules.pop(name, None) is not None]

    def beat(self, beat: Beat, ttl: timedelta, now: datetime) -> None:
        """Store or remove a worker, and remove the workers that are long gone."""
        fields = {name: getattr(beat, name) for name in WorkerInfo._fields if hasattr(beat, name)}
        self.workers[beat.worker] = WorkerInfo(**fields, seen_at=now, ttl=ttl)
        for worker in list(self.workers.values()):
            if now > worker.seen_at + worker.ttl + _DAY or (worker.worker == beat.worker and not ttl):
                del self.workers[worker.worker]

    def listed(self) -> list[WorkerInfo]:
        """Return the workers, sorted by name."""
        return [self.workers[name] for name in sorted(self.workers)]

    def meter(self, delta: MeterDelta, now: datetime) -> None:
        """Add numbers, unless they are too old."""
        if delta.minute >= now - 7 * _DAY:
            sums = self.meters.setdefault((delta.minute, delta.queue, delta.kind), [0, 0, 0, 0, 0, 0 * _DAY, 0 * _DAY])
            sums[:] = [sum_ + getattr(delta, name) for name, sum_ in zip(_NUMBERS, sums, strict=True)]

    def forget(self, now: datetime) -> None:
        """Remove the minutes that are too old."""
        self.meters = {key: sums for key, sums in self.meters.items() if key[0] >= now - 7 * _DAY}

    def sums(self, since: datetime, until: datetime, step: timedelta) -> list[Meter]:
        """Return the meters of a range, added up by steps."""
        steps: defaultdict[tuple[datetime, str, str], list[Any]] = defaultdict(list)
        for (minute, queue, kind), numbers in self.meters.items():
            if since <= minute < until:
                begun = _EPOCH + (minute - _EPOCH) // step * step
                known = steps[begun, queue, kind] or [0, 0, 0, 0, 0, 0 * _DAY, 0 * _DAY]
                steps[begun, queue, kind] = [one + more for one, more in zip(known, numbers, strict=True)]
        return [Meter(*key, *steps[key]) for key in sorted(steps)]


def is_same(new: NewSchedule, old: Schedule) -> bool:
    """Return whether a put of `new` changes nothing."""
    if new.declared is not None and new.declared == old.declared:
        return True
    return all(getattr(new, name) == getattr(old, name) for name in _DEFINITION)


def job_of(schedule: Schedule, tick: datetime) -> NewRecord:
    """Return the job of a tick."""
    return NewRecord(
        kind=schedule.kind,
        payload=schedule.payload,
        queue=schedule.queue,
        id=id_of(schedule.name, tick),
        priority=schedule.priority,
        max_attempts=schedule.max_attempts,
        run_at=tick,
        unique_key=schedule.unique_key,
        tags=(*schedule.tags, f"schedule:{schedule.name}"),
        meta=schedule.meta,
    )


def id_of(name: str, tick: datetime) -> UUID:
    """Return the id of the job of a tick: a UUIDv7 of its time, and of a hash of the name and the time."""
    millis = (tick - _EPOCH) // timedelta(milliseconds=1)
    bits = "".join(f"{byte:08b}" for byte in sha256(f"{millis} {name}".encode()).digest()[:10])
    first, rest = bits[:12], bits[18:]
    return UUID(int=int(f"{millis:048b}" + "0111" + first + "10" + rest, 2))
