"""Store schedules, and fire their ticks. Each function that changes a schedule runs in a write transaction."""

import logging
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

from tallystick import Advance, InvalidArgument, NewSchedule, Schedule
from tallystick.backends import registers
from tallystick.backends.register_calls import AdvanceCall, PutSchedulesCall

from . import inserting, schedule_rows
from .queries import Queries
from .rows import Parameters, json_list

logger = logging.getLogger("tallystick.sqlite")


def put(connection: sqlite3.Connection, queries: Queries, call: PutSchedulesCall) -> Sequence[Schedule]:
    """Store or change schedules; return the stored ones, in order."""
    return [_put(connection, queries, new, call.now) for new in call.schedules]


def _put(connection: sqlite3.Connection, queries: Queries, new: NewSchedule, now: datetime) -> Schedule:
    old = _stored(connection, queries, new.name)
    schedule = new.stored(now) if old is None else new.replacing(old, now)
    if schedule is not old:
        connection.execute(queries.put_schedules, schedule_rows.columns(schedule))
    return schedule


def schedules(connection: sqlite3.Connection, queries: Queries, names: Collection[str] | None) -> Sequence[Schedule]:
    """Return the schedules with some names, or all of them, sorted by name."""
    return [*map(schedule_rows.schedule, connection.execute(queries.schedules, {"names": json_list(names)}))]


def due(connection: sqlite3.Connection, queries: Queries, limit: int) -> Sequence[Schedule]:
    """Return the schedules that fire next."""
    return [*map(schedule_rows.schedule, connection.execute(queries.due_schedules, {"limit": limit}))]


def advance(connection: sqlite3.Connection, queries: Queries, call: AdvanceCall) -> Sequence[bool]:
    """Fire ticks; return for each advance whether it was applied."""
    return [_advance(connection, queries, one, call) for one in call.advances]


def _advance(connection: sqlite3.Connection, queries: Queries, advance: Advance, call: AdvanceCall) -> bool:
    after = registers.advanced(_stored(connection, queries, advance.name), advance, call)
    jobs = None if after is None else _jobs(after, advance, call.now)
    if after is None or jobs is None:
        return False
    if connection.execute(queries.advance_schedules, _moved(after, advance)).rowcount == 0:
        return False
    inserting.insert(connection.cursor(), queries, jobs)
    return True


def _jobs(schedule: Schedule, advance: Advance, now: datetime) -> list[inserting.New] | None:
    """Return the jobs of the ticks, or None if the stored schedule is damaged."""
    try:
        return [(job, job.stored(now)) for job in map(schedule.job, advance.ticks)]
    except InvalidArgument as exc:
        logger.warning("schedule %s fires no job, because its row is damaged: %s", ascii(schedule.name), exc)
        return None


def _moved(schedule: Schedule, advance: Advance) -> Parameters:
    columns = schedule_rows.columns(schedule)
    moved = {name: columns[name] for name in ("name", "next_tick", "last_tick", "paused", "updated_at")}
    return {**moved, "revision": advance.revision}


def remove(connection: sqlite3.Connection, queries: Queries, names: Collection[str]) -> Sequence[str]:
    """Remove schedules; return the names of those that were stored, sorted."""
    return sorted(name for [name] in connection.execute(queries.remove_schedules, {"names": json_list(names)}))


def _stored(connection: sqlite3.Connection, queries: Queries, name: str) -> Schedule | None:
    row = connection.execute(queries.schedule, {"name": name}).fetchone()
    return None if row is None else schedule_rows.schedule(row)
