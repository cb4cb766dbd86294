"""Bugs in concurrent claims on one server."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

from tallystick import Record, validation
from tallystick.backends.selection import claiming_order
from tallystick_conformance import Mutant
from tallystick_postgres import rows
from tallystick_postgres.execute import on
from tallystick_postgres.location import Location

from ..patch import MIGRATION, POSTGRES
from .base import Broken

broken, mutant, patch, patched, put = POSTGRES.broken, POSTGRES.mutant, POSTGRES.patch, POSTGRES.patched, POSTGRES.put

_FIRST = "ORDER BY priority DESC, run_at, id LIMIT most"
_IS_DUE = "run_at <= at\n                AND id <> ALL (claimed_before)"
_LOCK = f"{_FIRST} FOR UPDATE SKIP LOCKED"

_DUE = """
    SELECT id FROM {schema}.jobs
    WHERE queue = ANY (%(queues)s::text[]) AND state IN ('pending', 'retrying') AND run_at <= {now}
        AND NOT EXISTS (SELECT FROM {schema}.paused_queues WHERE name = queue)
    ORDER BY priority DESC, run_at, id LIMIT %(limit)s
"""
_TAKE = """
    UPDATE {schema}.jobs
    SET state = 'running', attempt = attempt + 1, worker = %(worker)s, lease_until = {now} + %(lease)s,
        attempted_at = {now}, updated_at = {now}
"""
_RECORD = "RETURNING {columns}"
_NESTED_LOOPS = """
    SELECT set_config(name, 'off', TRUE) FROM unnest(
        '{enable_hashjoin,enable_mergejoin,enable_hashagg,enable_material,enable_sort,enable_memoize}'::text[]
    ) AS name
"""


class _Claims(Broken):
    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        if now is None or now.tzinfo is None:
            return super().claim(queues, limit=limit, worker=worker, lease=lease, now=now)
        names = validation.names(queues, "queues")
        validation.limit(limit)
        validation.name(worker, "worker")
        validation.moment(validation.positive(lease, "lease"), now, "lease")
        asked = {"queues": list(names), "limit": limit, "worker": worker, "lease": lease, "now": now}
        return sorted(rows.records(self._taken(asked)), key=claiming_order)

    def _taken(self, asked: dict[str, Any]) -> Sequence[rows.Row]:
        raise NotImplementedError


class ClaimsInTwoStatements(_Claims):
    """One statement selects due jobs, and another updates them by id, even if they have changed."""

    def _taken(self, asked: dict[str, Any]) -> Sequence[rows.Row]:
        ids = [id for [id] in self._run(_DUE, asked)]
        return self._run(f"{_TAKE} WHERE id = ANY (%(ids)s::uuid[]) {_RECORD}", {**asked, "ids": ids})


class ClaimsAgainAndAgain(_Claims):
    """The subquery that locks the first due jobs runs once per row of the table, and locks other jobs each time."""

    def _taken(self, asked: dict[str, Any]) -> Sequence[rows.Row]:
        due = f"SELECT id FROM ({_DUE} FOR UPDATE SKIP LOCKED) AS due"  # noqa: S608

        def take(cursor: Any) -> Sequence[rows.Row]:
            cursor.execute(_NESTED_LOOPS)
            text = self._queries._named(f"{_TAKE} WHERE id IN ({due}) {_RECORD}")  # noqa: SLF001
            return list(cursor.execute(text, asked).fetchall())

        return self._connections.transact(take)


class WaitsForOthers(Broken):
    """A claim waits for rows that other claims lock instead of skipping them, and keeps its locks until it commits."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._write = self._in_a_transaction  # type: ignore[method-assign]

    def _in_a_transaction(self, query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[rows.Row]:
        return self._connections.transact(lambda cursor: on(cursor)(query, parameters))


class GoesOnInOneQueue(Broken):
    """A claim that finds the first due jobs locked looks further in its first queue only."""

    def _write(self, query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[rows.Row]:
        if parameters.get("look", 0) > parameters.get("limit", 0):
            parameters = {**parameters, "queues": parameters["queues"][:1]}
        return super()._write(query, parameters)


MUTANTS: tuple[Mutant, ...] = (
    mutant("claims in two statements", "SCHED-01", ClaimsInTwoStatements, "A1"),
    patched("waits, and does not look again", "RACE-01", MIGRATION, _LOCK, _FIRST, "A7",
            "A claim waits for a row that another claim is taking, and then takes it too."),
    mutant("waits for other claims", "FAULT-07", WaitsForOthers, "",
           patch(MIGRATION, "FOR UPDATE SKIP LOCKED", "FOR UPDATE")),
    mutant("locks others each time", "CLAIM-06", ClaimsAgainAndAgain, "A4"),
    patched("gives up behind others", "SCHED-01", MIGRATION, "count(*) AS n", "0 AS n", "A11",
            "A claim that finds the first due jobs locked does not look for later ones."),
    mutant("goes on in one queue", "SCHED-01", GoesOnInOneQueue, "G4"),
    broken("claims in the order of its update", "CLAIM-05",
           "Claimed jobs are returned in the order of UPDATE ... RETURNING.", "G4",
           put("claiming.claiming_order", lambda _: lambda record: 0)),
    patched("casts attempts to smallint", "SETTLE-06", "settle", "%(attempts)s::bigint[]", "%(attempts)s::smallint[]",
            "K4"),
    patched("holds small attempts only", "LEASE-02", "extend", "%(attempts)s::bigint[]", "%(attempts)s::smallint[]",
            "K4"),
    patched("claims by the clock of the server", "TIME-01", MIGRATION, _IS_DUE,
            _IS_DUE.replace("<= at", "<= statement_timestamp()"), "B7"),
)  # fmt: skip
