"""Measure `claim` of 100 jobs, `list`, `stats` and `wait` on PostgreSQL among a million other jobs.

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
    """Return a statement that inserts many records at once."""
    defaults = {
        "queue": "'default'",
        "priority": 0,
        "delay": "'-1 hour'::interval + n * interval '1 ms'",
        "finished_at": "NULL",
        "state": "pending",
    }
    return FILL.format(schema=schema, count=count, **{**defaults, **columns})


def cases(schema: str, many: int) -> dict[str, list[str]]:
    """Return the names of the cases, with the statements that insert the other jobs."""
    some = fill(schema, 20_000)
    return {
        "little else": [some],
        "due": [fill(schema, many)],
        "future, of higher priority": [fill(schema, many, priority=9, delay="'1 day'::interval"), some],
        "finished": [fill(schema, many, state="completed", finished_at="now()"), some],
        "due, in 50 queues": [fill(schema, many, queue="'queue' || n % 50")],
    }


def milliseconds(call: Callable[[], object]) -> float:
    """Return the duration of a call in milliseconds."""
    began = perf_counter()
    call()
    return (perf_counter() - began) * 1_000


@contextmanager
def store(url: str, schema: str, statements: list[str]) -> Iterator[Backend]:
    """Yield a store with these records, analyzed and vacuumed."""
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
    """Return the medians of a claim, a wait, two lists, and stats."""
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
    print(
        f"with {options.many:,} other jobs of each kind: claim of {LIMIT}, wait, list running, list a kind, stats (ms)"
    )
    with postgres(options.url) as url:
        for name, statements in cases(schema, options.many).items():
            queues = [f"queue{n}" for n in range(50)] if "50" in name else ["default"]
            with store(url, schema, statements) as backend:
                figures = measure(backend, queues, options.claims)
            print(f"{name:28}" + "".join(f"{figure:10.2f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
