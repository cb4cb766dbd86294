"""Fill a store of PostgreSQL or SQLite with records, meters, workers and schedules, without running jobs."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import psycopg
from bench import search_records as data
from bench.search_records import Stored
from tallystick import Beat, NewSchedule, State, open_backend
from tallystick.backends.times import micros

_CHUNK = 20_000
_COLUMNS = (
    *("id", "kind", "queue", "priority", "state", "attempt", "max_attempts", "run_at", "created_at", "updated_at"),
    *("attempted_at", "finished_at", "worker", "unique_key", "unique_until", "tags", "error_type", "last_error"),
    *("payload", "errors"),
)
_METERS = (
    "minute",
    "queue",
    "kind",
    "completed",
    "retried",
    "discarded",
    "released",
    "cancelled",
    "waiting",
    "running",
)


def fill(url: str, count: int) -> None:
    """Create a store, and fill it with this many records."""
    with open_backend(url) as backend:
        backend.setup()
        rule = "every hour"
        backend.put_schedules(
            [NewSchedule(name=f"schedule-{n}", rule=rule, kind=data.KINDS[0], after=data.end()) for n in range(50)]
        )
        for n, worker in enumerate(data.WORKERS):
            beat = Beat(
                worker=worker,
                host=worker,
                pid=100 + n,
                version="1.0",
                queues=data.QUEUES,
                concurrency=10,
                started_at=data.end(),
            )
            backend.beat(beat, ttl=timedelta(days=1))
    minutes: Counter[tuple[datetime, str, str, State]] = Counter()
    stored = _counted(count, minutes)
    chunks = iter(lambda: [*islice(stored, _CHUNK)], [])
    if url.startswith("sqlite"):
        _fill_sqlite(url, chunks, minutes)
    else:
        _fill_postgres(url, chunks, minutes)


def _counted(count: int, minutes: Counter[tuple[datetime, str, str, State]]) -> Iterator[Stored]:
    first = data.end() - timedelta(days=7)
    for stored in data.records(count):
        if stored.finished_at is not None and stored.finished_at >= first:
            minute = stored.finished_at.replace(second=0, microsecond=0)
            minutes[minute, stored.queue, stored.kind, stored.state] += 1
        yield stored


def _row(stored: Stored, time: Callable[[datetime], Any]) -> list[Any]:
    """Return the columns that both stores write in the same way, with None for the others."""
    latest = stored.finished_at or stored.attempted_at or stored.created_at
    optional = [None if each is None else time(each) for each in (stored.attempted_at, stored.finished_at)]
    attempt = 0 if stored.state is State.PENDING else 1
    return [
        *(None, stored.kind, stored.queue, 0, str(stored.state), attempt, 5, time(stored.created_at)),
        *(time(stored.created_at), time(latest), *optional, stored.worker, stored.unique_key, "finished", None),
        *(
            None if stored.error is None else stored.error.type,
            None if stored.error is None else stored.error.to_json(),
        ),
        *(data.payload(stored), None),
    ]


def _meters(minutes: Counter[tuple[datetime, str, str, State]], time: Callable[[datetime], Any]) -> Iterator[list[Any]]:
    keys = dict.fromkeys((minute, queue, kind) for minute, queue, kind, _ in minutes)
    for minute, queue, kind in sorted(keys):
        done, failed, ended = (
            minutes[minute, queue, kind, state] for state in (State.COMPLETED, State.DISCARDED, State.CANCELLED)
        )
        yield [time(minute), queue, kind, done, 0, failed, 0, ended, 30_000_000, 2_000_000]


def _fill_sqlite(url: str, chunks: Iterator[list[Stored]], minutes: Counter[Any]) -> None:
    path = url.removeprefix("sqlite:///").partition("?")[0]
    marks = ", ".join("?" * len(_COLUMNS))
    with closing(sqlite3.connect(path)) as connection:
        for chunk in chunks:
            rows = [_row(stored, micros) for stored in chunk]
            for row, stored in zip(rows, chunk, strict=True):
                row[0], row[15] = stored.id.bytes, json.dumps(stored.tags)
                row[19] = "\n".join(data.errors(stored)) or None
            connection.executemany(f"INSERT INTO tallystick_jobs ({', '.join(_COLUMNS)}) VALUES ({marks})", rows)
            tags = [(tag, stored.id.bytes) for stored in chunk for tag in stored.tags]
            connection.executemany("INSERT INTO tallystick_tags (tag, id) VALUES (?, ?)", tags)
            connection.commit()
        queues = [(queue,) for queue in data.QUEUES]
        connection.executemany("INSERT INTO tallystick_queues (name) VALUES (?)", queues)
        marks = ", ".join("?" * len(_METERS))
        connection.executemany(f"INSERT INTO tallystick_meters VALUES ({marks})", _meters(minutes, micros))
        connection.commit()


def _fill_postgres(url: str, chunks: Iterator[list[Stored]], minutes: Counter[Any]) -> None:
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        for chunk in chunks:
            with cursor.copy(f"COPY tallystick.jobs ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
                for stored in chunk:
                    row = _row(stored, lambda moment: moment)
                    row[0], row[15], row[19] = stored.id, stored.tags, data.errors(stored) or None
                    copy.write_row(row)
        with cursor.copy("COPY tallystick.meters FROM STDIN") as copy:
            for row in _meters(minutes, lambda moment: moment):
                copy.write_row(row)
        connection.execute("VACUUM ANALYZE")
