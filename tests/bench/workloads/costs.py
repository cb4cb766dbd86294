"""Count the WAL bytes, commits and statements of a job of Tallystick and of PgQueuer, on one server."""

from collections.abc import Callable

import psycopg
from bench.peers.children import begin
from bench.peers.systems import POSTGRES, SYSTEMS, System
from bench.peers.targets import target, wait_until_empty
from cost.on_postgres import SETTINGS
from servers import postgres_server

from .measuring import Bench, Figures, Measure
from .workloads_page import COUNTERS

_READ = """
SELECT
    pg_current_wal_insert_lsn() - '0/0',
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
    (
        SELECT coalesce(sum(calls), 0) FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid
        WHERE toplevel AND datname <> current_database()
    )
"""
"""A transaction gets a number from `xmax` when it first writes, so the difference of two is the number of commits."""

_UNCOUNTED = "?options=-c%20pg_stat_statements.track%3Dnone"


def costs(name: str) -> Measure:
    """Return a function that counts the costs of a system's jobs."""
    [system] = [system for system in SYSTEMS if (system.name, system.store) == (name, POSTGRES)]

    def measure(bench: Bench, store: str) -> Figures:
        with (
            postgres_server(durable=True, **SETTINGS) as server,
            psycopg.connect(server.url, autocommit=True) as observer,
        ):
            observer.execute("CREATE EXTENSION pg_stat_statements")

            def counted(phase: str, jobs: int, work: Callable[[], object]) -> Figures:
                before = _read(observer)
                work()
                return {
                    f"{phase}.{counter}": (after - start) / jobs
                    for counter, start, after in zip(COUNTERS, before, _read(observer), strict=True)
                }

            return _measure(bench, system, server.url, counted)

    return measure


def _measure(
    bench: Bench, system: System, server: str, counted: Callable[[str, int, Callable[[], object]], Figures]
) -> Figures:
    call, few = bench.environments.call, max(1, bench.jobs // 10)
    with target(system, server) as place:
        call(system, "setup", place)
        found = counted("enqueue_one", few, lambda: call(system, "enqueue_one", place, few))
    with target(system, server) as place:
        call(system, "setup", place)
        found |= counted("enqueue_batch", bench.jobs, lambda: call(system, "enqueue_batch", place, bench.jobs))
        return found | counted("drain", bench.jobs, lambda: _drain(bench, system, place))


def _drain(bench: Bench, system: System, place: str) -> None:
    assert system.left is not None
    with bench.environments.worker(system, place) as (stdin, _):
        begin(stdin)
        wait_until_empty(system.left, place + _UNCOUNTED)


def _read(observer: psycopg.Connection) -> list[int]:
    row = observer.execute(_READ).fetchone()
    assert row is not None
    return [int(value) for value in row]
