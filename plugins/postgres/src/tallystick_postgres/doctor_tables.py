"""Diagnose the tables: their indexes and triggers, dead rows, and whether the ledger counts right."""

import re
from collections.abc import Iterator
from typing import Any, LiteralString

from tallystick import Finding
from tallystick.diagnostics import fault, ok, warning

from . import rows, search
from .connections import Connection
from .location import Location

MANY_DEAD = 50_000
"""The number of dead rows above which a table is reported, if they also exceed a fifth of its live rows."""

_INDEX = re.compile(r"^CREATE (?:UNIQUE )?INDEX (\w+)", re.MULTILINE)
_TRIGGER = re.compile(r"^CREATE TRIGGER (\w+)", re.MULTILINE)


def diagnose(connection: Connection, location: Location) -> Iterator[Finding]:
    """Yield findings about the tables of a schema that is set up."""

    def found(query: LiteralString) -> list[Any]:
        with connection.cursor(binary=True) as cursor:  # text format depends on the session's TimeZone and DateStyle
            return cursor.execute(query, {"name": location.schema}).fetchall()

    queries = location.queries
    made = "\n".join(queries.migrations)
    indexes = dict(found(queries.doctor_indexes))
    yield _indexes(set(_INDEX.findall(made)) | {"jobs_pkey"}, indexes)
    yield _search(search.names(queries), indexes)
    yield _triggers(set(_TRIGGER.findall(made)), {name for (name,) in found(queries.doctor_triggers)})
    for table in found(queries.doctor_tables):
        yield _vacuum(*table)
    yield _ledger(found(queries.doctor_ledger))


def _indexes(expected: set[str], found: dict[str, bool]) -> Finding:
    missing = sorted(expected - found.keys())
    invalid = sorted(name for name, valid in found.items() if not valid)
    if missing:
        return fault(
            "indexes",
            f"missing: {', '.join(missing)}",
            "create them CONCURRENTLY, from the statements that `tallystick setup --sql` prints",
        )
    if invalid:
        return fault("indexes", f"invalid: {', '.join(invalid)}", "run REINDEX INDEX CONCURRENTLY for each")
    return ok("indexes", f"all {len(expected)} exist and are valid")


def _search(expected: set[str], found: dict[str, bool]) -> Finding:
    usable = {name for name in expected if found.get(name)}
    if usable == expected:
        return ok("search indexes", f"all {len(expected)} exist and are valid")
    if expected & found.keys():
        return warning(
            "search indexes",
            f"missing or invalid: {', '.join(sorted(expected - usable))}",
            "run `tallystick setup` with search=true in the URL, or with search=false to drop the others",
        )
    return ok("search indexes", "none; `tallystick setup` creates them if the URL has search=true")


def _triggers(expected: set[str], found: set[str]) -> Finding:
    if missing := sorted(expected - found):
        return fault(
            "triggers",
            f"missing or disabled: {', '.join(missing)}",
            "counts go wrong and workers are not woken: run ALTER TABLE jobs ENABLE TRIGGER for each, or create them "
            "from the statements that `tallystick setup --sql` prints",
        )
    return ok("triggers", f"all {len(expected)} are enabled")


def _vacuum(table: str, live: int, dead: int, vacuumed: int | None) -> Finding:
    last = "never" if vacuumed is None else rows.moment(vacuumed)
    found = f"{dead:,} dead rows, {live:,} live ones; last vacuum: {last}"
    if dead > MANY_DEAD and dead * 5 > live:
        return warning(
            f"dead rows of {table}",
            found,
            f"end old transactions, then run VACUUM {table}; check that autovacuum is on and keeps up",
        )
    return ok(f"dead rows of {table}", found)


def _ledger(wrong: list[Any]) -> Finding:
    if not wrong:
        return ok("ledger", "its counts match the jobs")
    queue, kind, state, counted, real = wrong[0]
    return fault(
        "ledger",
        f"{len(wrong)} counts are wrong, e.g. {counted:,} instead of {real:,} {state} jobs of queue {queue!r}, kind "
        f"{kind!r}",
        "a trigger was disabled; stats are wrong, claims are not affected. Stop the workers, then DELETE FROM counts "
        "and INSERT INTO counts SELECT count(*), queue, kind, state FROM jobs GROUP BY queue, kind, state",
    )
