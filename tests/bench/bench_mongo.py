"""Measure the throughput of no-op jobs on MongoDB compared with the server's own limits, and the pick-up latency.

`PYTHONPATH=tests python tests/bench/bench_mongo.py [--jobs 400] [--rounds 5] [URL]`

The server's limits are measured in this process, on the documents and indexes of a store: claiming jobs one at a time
by `find_one_and_update`, and in batches of 100 by `find` and `update_many`. They only claim; the runner also settles.
The server of this project keeps its documents in a file. Its replica set has them in memory, so only the latency is
measured there.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from uuid import uuid4

from bench.bench_latency import measure as latencies
from bench.bench_throughput import measure as throughput
from pymongo import MongoClient
from servers import mongo, mongo_server
from tallystick import NewRecord, open_backend
from tallystick_mongo import MongoBackend, queries, updates
from tallystick_mongo.collections import Collections, Jobs
from tallystick_mongo.location import Location

BATCH = 100
NOW = datetime.now(UTC) + timedelta(days=1)
CLAIMED = updates.claimed(1, "w", NOW + timedelta(minutes=5), NOW)
DUE = {**queries.due(NOW), "queue": {"$in": ["default"]}}


def claim_one_by_one(jobs: Jobs) -> None:
    """Claim every job, one at a time."""
    while jobs.find_one_and_update(DUE, CLAIMED, sort=queries.CLAIMING_ORDER):
        pass


def claim_in_batches(jobs: Jobs) -> None:
    """Claim every job, in batches of 100."""
    while ids := [job["_id"] for job in jobs.find(DUE, queries.ID_ONLY).sort(queries.CLAIMING_ORDER).limit(BATCH)]:
        jobs.update_many({"_id": {"$in": ids}, **DUE}, CLAIMED)


@contextmanager
def store(server: str) -> Iterator[str]:
    """Yield the URL of a store for one measurement."""
    url = MongoBackend.namespaced(server, f"bench_{uuid4().hex[:12]}")
    with open_backend(url) as backend:
        backend.setup()
        yield url
        backend.teardown()


def raw(server: str, count: int, claim: Callable[[Jobs], None]) -> float:
    """Return the jobs per second that one client can claim from the server."""
    with store(server) as url, open_backend(url) as backend:
        for _ in range(0, count, BATCH):
            backend.insert([NewRecord(kind="noop", payload=b'{"n": 1}') for _ in range(BATCH)])
        location = Location.parse(url)
        client: MongoClient[Any]
        with MongoClient(location.uri, **location.arguments) as client:
            jobs = Collections.of(client, location).jobs
            began = perf_counter()
            claim(jobs)
            elapsed = perf_counter() - began
            assert not jobs.find_one(DUE)
    return count / elapsed


def pick_up_latencies(server: str) -> list[float]:
    """Return the milliseconds from inserts in another process to the handlers of an idle worker."""
    with store(server) as url:
        return latencies(url, 100)


def drained(server: str, count: int) -> float:
    """Return the jobs per second that a runner works."""
    with store(server) as url:
        return throughput(url, count)[1]


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--jobs", type=int, default=400, help="in hundreds")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with TemporaryDirectory() as folder, mongo(options.url, file=Path(folder) / "documents") as server:
        rounds = [
            (
                raw(server, options.jobs, claim_one_by_one),
                raw(server, options.jobs, claim_in_batches),
                drained(server, options.jobs),
            )
            for _ in range(options.rounds)
        ]
        pick_up = {"single node or given server": pick_up_latencies(server)}
    if not options.url:
        with mongo_server(members=1) as replica_set:
            pick_up["replica set with notifications"] = pick_up_latencies(replica_set.url)
    singly, batched, worked = (median(column) for column in zip(*rounds, strict=True))
    print(f"{options.jobs} no-op jobs, median of {options.rounds} rounds in turn (jobs/s)")
    print(f"the server, one by one    {singly:8,.0f}")
    print(f"the server, in batches    {batched:8,.0f}")
    print(
        f"the runner                {worked:8,.0f}   {median(w / s for s, _, w in rounds):.2f} of the first, "
        f"{median(w / b for _, b, w in rounds):.2f} of the second"
    )
    for which, latency in pick_up.items():
        p95 = quantiles(latency, n=20)[-1]
        print(f"pick-up latency of an idle worker: median {median(latency):.1f} ms, p95 {p95:.1f} ms ({which})")


if __name__ == "__main__":
    main()
