"""Measure searches in a store with a million records: medians of pages, counts, stats and registers.

`python tests/bench/search.py [--records 1000000] [--calls 15] [--filled] [--write] [URL ...]`
"""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg
from bench import million, search_tables
from bench import search_records as data
from tallystick import CLAIMABLE, Backend, Filter, Order, State, open_backend
from tallystick.contract.filters import ORDERS

DAY = timedelta(days=1)
RESULTS = Path(__file__).parents[2] / "docs" / "search.json"
PAGE = 50
COUNTED = 1_000
SLOW = 0.1
"""After a call this slow, in seconds, three calls are enough."""


def filters(now: datetime) -> dict[str, dict[str, Any]]:
    """Return the filters to measure, by their names."""
    old = now - data.DAYS / 2 * DAY
    common, rare = {"kinds": [data.KINDS[0]]}, {"kinds": [data.RARE_KINDS[0]]}
    discarded = {"states": [State.DISCARDED]}
    return {
        "none": {},
        **{f"state {state}": {"states": [state]} for state in State},
        "kind, common": common,
        "kind, rare": rare,
        "kind, unknown": {"kinds": ["unknown"]},
        "queue": {"queues": [data.QUEUES[1]]},
        "queue, unknown": {"queues": ["unknown"]},
        "tag": {"tags": [data.TAGS[0]]},
        "tag, rare": {"tags": [data.RARE_TAG]},
        "error type, common": {"error_types": [data.ERROR_TYPES[0]]},
        "error type, rare": {"error_types": [data.ERROR_TYPES[-1]]},
        "error text, common": {"error_text": "failed after"},
        "error text, some": {"error_text": "shard 42 "},
        "error text, rare": {"error_text": "needle"},
        "worker": {"workers": [data.WORKERS[3]]},
        "worker, unknown": {"workers": ["unknown"]},
        "unique key": {"unique_keys": ["key-507"]},
        "created on a day": {"created_since": old, "created_until": old + DAY},
        "created in the last hour": {"created_since": now - DAY / 24},
        "created before": {"created_until": old},
        "finished on a day": {"finished_since": old, "finished_until": old + DAY},
        "finished in the last week": {"finished_since": now - 7 * DAY},
        "finished before": {"finished_until": old},
        "state and queue": {**discarded, "queues": [data.QUEUES[1]]},
        "state and kind, common": {**discarded, **common},
        "state and kind, rare": {**discarded, **rare},
        "state without records and kind": {"states": [State.RUNNING], **common},
        "queue and kind": {"queues": [data.QUEUES[0]], **common},
        "state and error type": {**discarded, "error_types": [data.ERROR_TYPES[0]]},
        "kind and error type": {**common, "error_types": [data.ERROR_TYPES[0]]},
        "state and finished on a day": {**discarded, "finished_since": old, "finished_until": old + DAY},
        "kind and created on a day": {**common, "created_since": old, "created_until": old + DAY},
        "worker and state": {**discarded, "workers": [data.WORKERS[3]]},
    }


def timed(call: Callable[[], object], calls: int) -> float:
    """Return the median duration of some calls in milliseconds, after one more."""
    taken: list[float] = []
    for n in range(calls + 1):
        began = perf_counter()
        call()
        taken.append(perf_counter() - began)
        if taken[-1] > SLOW and n >= 2:
            break
    return 1_000 * median(taken[1:])


def positions(order: Order, filter: Filter) -> Iterator[UUID | tuple[datetime, UUID] | None]:
    """Yield the positions of the first page, of one in the middle of the matches, and of one near the end."""
    yield None
    end = data.end()
    first, last = end - data.DAYS * DAY, end
    if order == "run_at" or (filter.states and set(filter.states) <= CLAIMABLE):
        first = end - DAY
    first = max(first, filter.created_since or first, filter.finished_since or first)
    last = min(last, filter.created_until or last, filter.finished_until or last)
    for part in (0.5, 0.999 if order == "run_at" else 0.001):
        moment = first + part * (last - first)
        id = UUID(int=int(moment.timestamp() * 1_000) << 80)
        yield id if order == "id" else (moment, id)


def searches(backend: Backend, calls: int) -> Iterator[tuple[str, list[list[float]]]]:
    """Yield the medians of each filter: three pages in each order, and the count."""
    for name, fields in filters(data.end()).items():
        filter = Filter(**fields)
        pages = [
            [timed(partial(page, backend, filter, order, after), calls) for after in positions(order, filter)]
            for order in ORDERS
        ]
        yield name, [*pages, [timed(partial(backend.count, filter, at_most=COUNTED), calls)]]


def page(backend: Backend, filter: Filter, order: Order, after: UUID | tuple[datetime, UUID] | None) -> None:
    """Read one page."""
    backend.list(filter, limit=PAGE, order=order, after=after)


def others(backend: Backend, calls: int) -> Iterator[tuple[str, float]]:
    """Yield the medians of the other calls of a dashboard."""
    now = data.end()
    measured: dict[str, Callable[[], object]] = {
        "stats": backend.stats,
        "count of everything": partial(backend.count, Filter(), at_most=1_000_000),
        "queues": backend.queues,
        "meters of a day, by five minutes": partial(backend.meters, now - DAY, now, step=timedelta(minutes=5)),
        "meters of a week, by hours": partial(backend.meters, now - 7 * DAY, now, step=timedelta(hours=1)),
        "schedules": backend.schedules,
        "workers": backend.workers,
    }
    for name, call in measured.items():
        yield name, timed(call, calls)


def measure(url: str, calls: int) -> dict[str, Any]:
    """Return the medians of one store."""
    with open_backend(url) as backend:
        return {
            "version": version(url),
            "pages": dict(searches(backend, calls)),
            "calls": dict(others(backend, calls)),
        }


def version(url: str) -> str:
    """Return the version of a store's database."""
    if url.startswith("sqlite"):
        return f"SQLite {sqlite3.sqlite_version}"
    with psycopg.connect(url.partition("?")[0]) as connection:
        return f"PostgreSQL {connection.info.server_version // 10_000}.{connection.info.server_version % 10_000}"


def main() -> None:
    """Fill the stores, measure, and print tables."""
    million.run(__doc__, measure, search_tables.page, RESULTS, calls=15)


if __name__ == "__main__":
    main()
