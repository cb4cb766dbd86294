"""Store schedules, and fire their ticks."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from tallystick import Advance, InvalidArgument, NewRecord, Schedule
from tallystick.backends import registers
from tallystick.backends.register_calls import AdvanceCall, PutSchedulesCall

from . import inserting, rows, schedule_rows
from .execute import Execute, clock
from .queries import Queries
from .schedule_rows import schedule

logger = logging.getLogger("tallystick.postgres")


def put(execute: Execute, queries: Queries, call: PutSchedulesCall) -> Sequence[Schedule]:
    """Store or change schedules in the transaction of `execute`; return the stored ones, in order.

    Repeat for a new name that another client stores first.
    """
    now = clock(execute, queries, call.given)
    stored: dict[str, Schedule] = {}
    while missing := {new.name: new for new in call.schedules if new.name not in stored}:
        old = _locked(execute, queries, missing)
        wanted = [new.replacing(old[name], now) if name in old else new.stored(now) for name, new in missing.items()]
        changed = {each.name: each for each in wanted if old.get(each.name) is not each}
        stored.update({each.name: each for each in wanted if each.name not in changed})
        if changed:
            columns = schedule_rows.columns(list(changed.values()))
            stored.update({name: changed[name] for [name] in execute(queries.put_schedules, columns)})
    return [stored[new.name] for new in call.schedules]


def advance(execute: Execute, queries: Queries, call: AdvanceCall) -> tuple[Sequence[bool], Sequence[NewRecord]]:
    """Fire ticks in the transaction of `execute`; return for each advance whether it was applied, and the jobs."""
    stored = _locked(execute, queries, {one.name for one in call.advances})
    call = call.at(clock(execute, queries, call.given))
    applied: list[bool] = []
    moved: dict[str, Schedule] = {}
    jobs: list[NewRecord] = []
    for one in call.advances:
        after = registers.advanced(stored.get(one.name), one, call)
        new = None if after is None else _jobs(after, one)
        applied.append(after is not None and new is not None)
        if after is not None and new is not None:
            stored[one.name] = moved[one.name] = after
            jobs += new
    if moved:
        execute(queries.advance_schedules, _positions(list(moved.values())))
    inserting.add(execute, queries, jobs, call.given)
    return applied, jobs


def _locked(execute: Execute, queries: Queries, names: Iterable[str]) -> dict[str, Schedule]:
    return {row[0]: schedule(row) for row in execute(queries.lock_schedules, {"names": list(names)})}


def _jobs(schedule: Schedule, advance: Advance) -> list[NewRecord] | None:
    """Return the jobs of the ticks, or None if the stored schedule is damaged."""
    try:
        return [schedule.job(tick) for tick in advance.ticks]
    except InvalidArgument as exc:
        logger.warning("schedule %s fires no job, because its row is damaged: %s", ascii(schedule.name), exc)
        return None


def _positions(schedules: Sequence[Schedule]) -> dict[str, Any]:
    return {
        "names": [each.name for each in schedules],
        "next_ticks": rows.array([each.next_tick for each in schedules]),
        "last_ticks": rows.array([each.last_tick for each in schedules]),
        "pauseds": [each.paused for each in schedules],
        "revisions": [each.revision for each in schedules],
        "updated_ats": [each.updated_at for each in schedules],
    }
