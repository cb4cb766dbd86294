"""How the tables of a schema are: what the migrations made, what waits for vacuum, and whether the ledger is right."""

import re
from collections.abc import Iterator
from typing import Any, LiteralString

from tallystick import Finding
from tallystick.diagnostics import fault, ok, warning

from . import rows
from .connections import Connection
from .location import Location

MANY_DEAD = 50_000
"""How many dead rows are many, where they are also more than a fifth of the others."""

_INDEX = re.compile(r"^CREATE (?:UNIQUE )?INDEX (\w+)", re.MULTILINE)
_TRIGGER = re.compile(r"^CREATE TRIGGER (\w+)", re.MULTILINE)


def diagnose(connection: Connection, location: Location) -> Iterator[Finding]:
    """Yield what there is to say of the tables of a schema that is set up."""

    def found(query: LiteralString) -> list[Any]:
        with connection.cursor(binary=True) as cursor:  # as text, a moment depends on the session's zone and style
            return cursor.execute(query, {"name": location.schema}).fetchall()

    queries = location.queries
    made = "\n".join(queries.migrations)
    yield _indexes(set(_INDEX.findall(made)) | {"jobs_pkey"}, dict(found(queries.doctor_indexes)))
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
            "make them again, CONCURRENTLY, as `tallystick setup --sql` prints them",
        )
    if invalid:
        return fault("indexes", f"invalid: {', '.join(invalid)}", "REINDEX INDEX CONCURRENTLY each")
    return ok("indexes", f"all {len(expected)} are there and valid")


def _triggers(expected: set[str], found: set[str]) -> Finding:
    if missing := sorted(expected - found):
        return fault(
            "triggers",
            f"missing or disabled: {', '.join(missing)}",
            "counts go wrong and workers are not woken: ALTER TABLE jobs ENABLE TRIGGER each, or make them again as "
            "`tallystick setup --sql` prints them",
        )
    return ok("triggers", f"all {len(expected)} are fired")


def _vacuum(table: str, live: int, dead: int, vacuumed: int | None) -> Finding:
    last = "never" if vacuumed is None else rows.moment(vacuumed)
    found = f"{dead:,} dead rows beside {live:,} others; last vacuum: {last}"
    if dead > MANY_DEAD and dead * 5 > live:
        return warning(
            f"dead rows of {table}",
            found,
            f"end old transactions, then VACUUM {table}; see that autovacuum is on and keeps up",
        )
    return ok(f"dead rows of {table}", found)


def _ledger(wrong: list[Any]) -> Finding:
    if not wrong:
        return ok("ledger", "it counts what is there")
    queue, kind, state, told, real = wrong[0]
    return fault(
        "ledger",
        f"{len(wrong)} counts are wrong: {told:,} jobs of queue {queue!r}, kind {kind!r} are said to be {state}, and "
        f"{real:,} are",
        "stats are wrong, claims are not; a trigger was off. With workers stopped, DELETE FROM counts, and INSERT INTO "
        "counts SELECT count(*), queue, kind, state FROM jobs GROUP BY queue, kind, state",
    )
