"""Measure the WAL bytes, commits, statements and CPU times of a job of Tallystick and of PgQueuer, on one server."""

from collections.abc import Callable
from functools import partial
from resource import RUSAGE_CHILDREN, getrusage
from time import process_time

import psycopg
from bench.dashboard import Clock
from bench.peers.children import begin
from bench.peers.systems import POSTGRES, SYSTEMS, System
from bench.peers.targets import target, wait_until_empty
from cost.on_postgres import SETTINGS
from servers import postgres_server

from .measuring import Bench, Figures, Measure
from .workloads_page import COUNTERS, TIMES

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
    """Return a function that measures the costs of a system's jobs."""
    [system] = [system for system in SYSTEMS if (system.name, system.store) == (name, POSTGRES)]

    def measure(bench: Bench, store: str) -> Figures:
        with (
            postgres_server(durable=True, **SETTINGS) as server,
            psycopg.connect(server.url, autocommit=True) as observer,
        ):
            observer.execute("CREATE EXTENSION pg_stat_statements")
            return _measure(bench, system, server.url, Meter(observer, Clock(server.url)))

    return measure


class Meter:
    """Measures works of child processes and of a server."""

    def __init__(self, observer: psycopg.Connection, clock: Clock) -> None:
        self._observer = observer
        self._clock = clock

    def __call__(
        self, phase: str, jobs: int, work: Callable[[int], object], prepare: Callable[[], object] = lambda: None
    ) -> Figures:
        """Return the costs of one job: of a work with this many jobs, less the CPU times of one with none."""
        work(0)  # reads the modules from the disk
        prepare()
        first, before = self._seconds(), self._counters()
        work(jobs)
        after, second = self._counters(), self._seconds()
        work(0)
        third = self._seconds()
        counts = [end - start for start, end in zip(before, after, strict=True)]
        spent = [(2 * b - a - c) * 1_000_000 for a, b, c in zip(first, second, third, strict=True)]
        figures = zip((*COUNTERS, *TIMES), (*counts, *spent), strict=True)
        return {f"{phase}.{name}": figure / jobs for name, figure in figures}

    def _counters(self) -> list[int]:
        row = self._observer.execute(_READ).fetchone()
        assert row is not None
        return [int(value) for value in row]

    def _seconds(self) -> tuple[float, float]:
        """Return the CPU seconds of the child processes so far, and of the server."""
        used = getrusage(RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime, self._clock() - process_time()


def _measure(bench: Bench, system: System, server: str, meter: Meter) -> Figures:
    call, jobs, found = bench.environments.call, bench.jobs, Figures()
    for phase, several in (("enqueue_one", max(1, jobs // 10)), ("enqueue_batch", jobs)):
        with target(system, server) as place:
            call(system, "setup", place)
            found |= meter(phase, several, partial(call, system, phase, place))
    with target(system, server) as place:
        call(system, "setup", place)
        fill = partial(call, system, "enqueue_batch", place, jobs)
        return found | meter("drain", jobs, lambda _: _drain(bench, system, place), fill)


def _drain(bench: Bench, system: System, place: str) -> None:
    """Let a worker work the jobs in the store."""
    assert system.left is not None
    with bench.environments.worker(system, place) as (stdin, _):
        begin(stdin)
        wait_until_empty(system.left, place + _UNCOUNTED)
