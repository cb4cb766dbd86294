"""The limit: a bare loop that takes and deletes rows, 500 at a time; no fence, no record, no handler."""

import sys

import psycopg

_TAKE = """\
UPDATE raw_jobs SET state = 1
WHERE id = ANY (ARRAY(SELECT id FROM raw_jobs WHERE state = 0 ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED))
RETURNING id, payload"""


def prepare(url: str) -> None:
    """Make an empty table."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS raw_jobs")
        connection.execute("CREATE TABLE raw_jobs (id bigint PRIMARY KEY, state int NOT NULL, payload bytea NOT NULL)")
        connection.execute("CREATE INDEX ON raw_jobs (id) WHERE state = 0")


def enqueue(url: str, jobs: int) -> None:
    """Fill it."""
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO raw_jobs SELECT n, 0, '{\"n\": 1}' FROM generate_series(1, %s) AS n", (jobs,))


def left(url: str) -> int:
    """Return how many are left."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM raw_jobs").fetchone()
    return int(found[0]) if found else 0


def work(url: str) -> None:
    """Begin at a line of standard input, and work until there is nothing left."""
    with psycopg.connect(url, prepare_threshold=None) as connection:
        print("ready", flush=True)
        sys.stdin.readline()
        while taken := connection.execute(_TAKE).fetchall():
            connection.commit()
            connection.execute("DELETE FROM raw_jobs WHERE id = ANY (%s)", ([id for id, _ in taken],))
            connection.commit()
        sys.stdin.read()
