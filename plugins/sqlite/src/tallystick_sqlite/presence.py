"""Store and read how workers describe themselves."""

import logging
import sqlite3
from collections.abc import Iterator

from tallystick import WORKERS_KEPT, Beat, InvalidArgument, WorkerInfo
from tallystick.backends.register_calls import BeatCall
from tallystick.backends.times import MICROSECOND, micros, moment

from .queries import Queries

logger = logging.getLogger("tallystick.sqlite")


def beat(connection: sqlite3.Connection, queries: Queries, call: BeatCall) -> None:
    """Store a beat in a write transaction, or remove the worker if the ttl is zero; remove forgotten workers."""
    now, worker = micros(call.now), call.beat.worker
    connection.execute(queries.remove_workers, {"oldest": now - WORKERS_KEPT // MICROSECOND})
    if call.ttl:
        alive_until = now + call.ttl // MICROSECOND
        described = {"worker": worker, "beat": call.beat.to_json(), "now": now, "alive_until": alive_until}
        connection.execute(queries.beat, described)
    else:
        connection.execute(queries.remove_worker, {"worker": worker})


def workers(connection: sqlite3.Connection, queries: Queries) -> list[WorkerInfo]:
    """Return the workers, sorted by name; log a worker whose description is damaged, and leave it out."""
    return [*_workers(connection, queries)]


def _workers(connection: sqlite3.Connection, queries: Queries) -> Iterator[WorkerInfo]:
    for name, text, seen_at, alive_until in connection.execute(queries.workers):
        try:
            described = Beat.from_json(name, text)
        except InvalidArgument as exc:
            logger.warning("worker %s is not listed: %s", ascii(name), exc)
            continue
        yield described.info(moment(seen_at), (alive_until - seen_at) * MICROSECOND)
