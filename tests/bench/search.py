"""Measure searches in a store with a million records: medians of pages, counts, stats and registers.

`python tests/bench/search.py [--records 1000000] [--calls 15] [--filled] [URL ...]`
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID

import search_fill
import search_records as data
from servers import postgres
from tallystick import CLAIMABLE, Backend, Filter, Order, State, open_backend
from tallystick.filters import ORDERS

DAY = timedelta(days=1)
PAGE = 50
COUNTED = 1_000
SLOW = 0.5
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
    now = data.end()
    for name, fields in filters(now).items():
        filter = Filter(**fields)
        cells = [
            [
                timed(lambda: backend.list(filter, limit=PAGE, order=order, after=after), calls)
                for after in positions(order, filter)
            ]
            for order in ORDERS
        ]
        yield name, [*cells, [timed(lambda: backend.count(filter, at_most=COUNTED), calls)]]


def others(backend: Backend, calls: int) -> Iterator[tuple[str, float]]:
    """Yield the medians of the other calls of a dashboard."""
    now = data.end()
    for name, call in {
        "stats": lambda: backend.stats(),
        "count of everything": lambda: backend.count(Filter(), at_most=1_000_000),
        "queues": lambda: backend.queues(),
        "meters of a day, by five minutes": lambda: backend.meters(now - DAY, now, step=timedelta(minutes=5)),
        "meters of a week, by hours": lambda: backend.meters(now - 7 * DAY, now, step=timedelta(hours=1)),
        "schedules": lambda: backend.schedules(),
        "workers": lambda: backend.workers(),
    }.items():
        yield name, timed(call, calls)


def shown(value: float) -> str:
    """Return a number of milliseconds with two digits that matter."""
    text = f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"
    return f"**{text}**" if value > 50 else text


def measure(url: str, calls: int) -> list[str]:
    """Return the rows of the tables of one store, to be printed."""
    with open_backend(url) as backend:
        lines = ["| filter | by id | by finished_at | by run_at | count |", "|---|---|---|---|---|"]
        for name, cells in searches(backend, calls):
            lines.append(f"| {name} | " + " | ".join(" / ".join(map(shown, cell)) for cell in cells) + " |")
        lines += ["", "| call | ms |", "|---|---|"]
        lines += [f"| {name} | {shown(value)} |" for name, value in others(backend, calls)]
    return lines


def main() -> None:
    """Fill the stores, measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("urls", nargs="*", metavar="URL")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=15)
    parser.add_argument("--filled", action="store_true", help="the stores are filled already")
    parser.add_argument("--only-fill", action="store_true", help="fill the stores, and measure nothing")
    options = parser.parse_args()
    with ExitStack() as stack:
        urls = options.urls
        if not urls:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            urls = [f"sqlite:///{Path(folder) / 'search.db'}", stack.enter_context(postgres(None))]
        for url in urls:
            if not options.filled:
                search_fill.fill(url, options.records)
            if not options.only_fill:
                print(f"### {url.partition(':')[0]}\n", flush=True)
                print("\n".join(measure(url, options.calls)), flush=True)


if __name__ == "__main__":
    main()
