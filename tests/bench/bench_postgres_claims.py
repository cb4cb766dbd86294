"""Claim 100 jobs from PostgreSQL beside a million others: is a claim's cost flat? Also `list`, `stats` and `wait`.

`PYTHONPATH=tests python tests/bench/bench_postgres_claims.py [--many 1000000] [--claims 30] [URL]`
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from time import perf_counter

import psycopg
from servers import postgres
from tallystick import Backend, Filter, State, open_backend

LEASE = timedelta(minutes=5)
LIMIT = 100

FILL = """\
INSERT INTO "{schema}".jobs (
    id, kind, queue, payload, priority, max_attempts, run_at, created_at, updated_at, finished_at, unique_until, state
)
SELECT gen_random_uuid(), 'kind' || n % 5, {queue}, '{{"n": 1}}', {priority}, 20, now() + {delay}, now(), now(),
    {finished_at}, 'finished', '{state}'
FROM generate_series(1, {count}) AS n
"""


def fill(schema: str, count: int, **columns: object) -> str:
    """Return the statement that makes many records at once."""
    given = {
        "queue": "'default'",
        "priority": 0,
        "delay": "'-1 hour'::interval + n * interval '1 ms'",
        "finished_at": "NULL",
        "state": "pending",
    }
    return FILL.format(schema=schema, count=count, **{**given, **columns})


def cases(schema: str, many: int) -> dict[str, list[str]]:
    """Return what is beside the jobs that are claimed, by its name."""
    some = fill(schema, 20_000)
    return {
        "little else": [some],
        "due": [fill(schema, many)],
        "future, of higher priority": [fill(schema, many, priority=9, delay="'1 day'::interval"), some],
        "finished": [fill(schema, many, state="completed", finished_at="now()"), some],
        "due, in 50 queues": [fill(schema, many, queue="'queue' || n % 50")],
    }


def milliseconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = perf_counter()
    call()
    return (perf_counter() - began) * 1_000


@contextmanager
def store(url: str, schema: str, statements: list[str]) -> Iterator[Backend]:
    """Make a store with these records, as a server keeps it: analyzed and vacuumed some time ago."""
    with open_backend(f"{url}?schema={schema}") as backend:
        backend.setup()
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
            yield backend
        finally:
            backend.teardown()


def measure(backend: Backend, queues: list[str], claims: int) -> list[float]:
    """Return the medians of a claim, a wait, a list, and stats."""
    claimed = [
        milliseconds(lambda: backend.claim(queues, limit=LIMIT, worker="w", lease=LEASE)) for _ in range(claims + 3)
    ][3:]
    waited = [milliseconds(lambda: backend.wait(queues, timeout=timedelta(0))) for _ in range(claims)]
    listed = [milliseconds(lambda: backend.list(Filter(states=[State.RUNNING]), limit=50)) for _ in range(5)]
    newest = [milliseconds(lambda: backend.list(Filter(kinds=["kind1"]), limit=50)) for _ in range(5)]
    counted = [milliseconds(backend.stats) for _ in range(5)]
    return [median(figures) for figures in (claimed, waited, listed, newest, counted)]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--claims", type=int, default=30)
    options = parser.parse_args()
    schema = "bench_claims"
    print(f"beside {options.many:,} jobs that are ...: claim of {LIMIT}, wait, list running, list a kind, stats (ms)")
    with postgres(options.url) as url:
        for name, statements in cases(schema, options.many).items():
            queues = [f"queue{n}" for n in range(50)] if "50" in name else ["default"]
            with store(url, schema, statements) as backend:
                figures = measure(backend, queues, options.claims)
            print(f"{name:28}" + "".join(f"{figure:10.2f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
