"""Bugs in schedules, workers and meters."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from tallystick import Advance, Schedule
from tallystick.backends import register_calls, registers
from tallystick_conformance import Mutant
from tallystick_sqlite import SqliteBackend, inserting, schedule_rows
from tallystick_sqlite.queries import Queries

from ..patch import SQLITE

patched = SQLITE.patched


class AdvancesInTwoSteps(SqliteBackend):
    """One transaction reads a schedule, and another inserts the jobs and moves the schedule."""

    def advance(self, advances: Sequence[Advance], *, now: datetime | None = None) -> Sequence[bool]:
        call = register_calls.advance(advances, self.capabilities, now=now)
        applied = []
        for advance in call.advances:
            stored = next(iter(self.schedules([advance.name])), None)
            moved = registers.advanced(stored, advance, call)
            applied.append(moved is not None)
            if moved is not None:
                jobs = [(job, job.stored(call.now)) for job in map(moved.job, advance.ticks)]
                self._writer.write(_move, self._queries, moved, jobs)
        return applied


def _move(connection: sqlite3.Connection, queries: Queries, moved: Schedule, jobs: Sequence[inserting.New]) -> None:
    connection.execute(queries.put_schedules, schedule_rows.columns(moved))
    inserting.insert(connection.cursor(), queries, jobs)


MUTANTS: tuple[Mutant, ...] = (
    SQLITE.mutant("advances in two transactions", "RACE-15", AdvancesInTwoSteps),
    patched("moves only schedules with jobs", "TICK-08", "advance_schedules", "revision = revision + 1",
            "revision = revision + (last_tick IS NOT :last_tick)"),
    patched("lists paused schedules as due", "TICK-05", "due_schedules", " AND NOT paused", ""),
    patched("forgets workers that just ended", "BEAT-03", "remove_workers", ":oldest", ":oldest + 86400000000"),
    patched("counts only the latest numbers", "METER-01", "meter", "old.completed + ", ""),
)  # fmt: skip
