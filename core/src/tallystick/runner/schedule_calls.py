"""Pause, resume, remove and run stored schedules by name."""

from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from ..contract.backend import Backend
from ..contract.records import Inserted
from ..contract.schedules import Advance, Schedule
from ..errors import ScheduleNotFound
from ..messages.advice import near

_SHOWN = 20
"""The most names of schedules in a message."""


def find(backend: Backend, name: str) -> Schedule:
    """Return a stored schedule; raise `ScheduleNotFound` if it does not exist."""
    for schedule in backend.schedules([name]):
        return schedule
    names = [schedule.name for schedule in backend.schedules()]
    raise ScheduleNotFound(
        f"schedule {name!r} was not found: it was never stored, or it was removed; {near(name, names)}the schedules "
        f"are: {', '.join(names[:_SHOWN]) or 'none'}{', ...' if len(names) > _SHOWN else ''}"
    )


def pause(backend: Backend, name: str) -> Schedule:
    """Pause a schedule, so that no tick fires until it is resumed. Return the stored schedule."""
    return _set_paused(backend, name, paused=True)


def resume(backend: Backend, name: str) -> Schedule:
    """Resume a schedule with its next tick after now. Ticks during the pause do not fire."""
    return _set_paused(backend, name, paused=False)


def _set_paused(backend: Backend, name: str, *, paused: bool) -> Schedule:
    """Repeat until the schedule is in the wanted state: a worker may advance it at the same time."""
    while (schedule := find(backend, name)).paused != paused:
        next_tick = schedule.next_tick if paused else schedule.parsed().next_tick(datetime.now(UTC))
        backend.advance([Advance(name=name, revision=schedule.revision, next_tick=next_tick, paused=paused)])
    return schedule


def remove(backend: Backend, name: str) -> bool:
    """Remove a schedule. Return False if it does not exist."""
    return bool(backend.remove_schedules([name]))


def run_now(backend: Backend, name: str) -> Inserted:
    """Insert a job of a schedule that is due now, in addition to those of its ticks."""
    return backend.insert([find(backend, name).job_now()])[0]


def next_ticks(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """Return the next ticks of a schedule, at most `count`, as if it were not paused."""
    return list(islice(schedule.parsed().ticks(after, datetime.max.replace(tzinfo=UTC)), count))


def local(schedule: Schedule, tick: datetime) -> str:
    """Return a tick in the time zone of its schedule, as text."""
    return f"{tick.astimezone(ZoneInfo(schedule.zone)):%a %Y-%m-%d %H:%M:%S %Z}"
