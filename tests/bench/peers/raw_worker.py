"""The upper limit: a bare loop that claims and deletes rows, 500 at a time, without leases, records and handlers."""

import sys

import psycopg

_TAKE = """\
UPDATE raw_jobs SET state = 1
WHERE id = ANY (ARRAY(SELECT id FROM raw_jobs WHERE state = 0 ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED))
RETURNING id, payload"""


def prepare(url: str) -> None:
    """Create an empty table."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS raw_jobs")
        connection.execute("CREATE TABLE raw_jobs (id bigint PRIMARY KEY, state int NOT NULL, payload bytea NOT NULL)")
        connection.execute("CREATE INDEX ON raw_jobs (id) WHERE state = 0")


def enqueue(url: str, jobs: int) -> None:
    """Insert the rows."""
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO raw_jobs SELECT n, 0, '{\"n\": 1}' FROM generate_series(1, %s) AS n", (jobs,))


def left(url: str) -> int:
    """Return the number of remaining rows."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM raw_jobs").fetchone()
    return int(found[0]) if found else 0


def work(url: str) -> None:
    """Begin at a line on standard input, and work until no row remains."""
    with psycopg.connect(url, prepare_threshold=None) as connection:
        print("ready", flush=True)
        sys.stdin.readline()
        while claimed := connection.execute(_TAKE).fetchall():
            connection.commit()
            connection.execute("DELETE FROM raw_jobs WHERE id = ANY (%s)", ([id for id, _ in claimed],))
            connection.commit()
        sys.stdin.read()
