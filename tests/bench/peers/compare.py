"""Compare Tallystick on PostgreSQL with its peers; the systems take turns in each round.

`PYTHONPATH=tests python tests/bench/peers/compare.py [--jobs 100000] [--rounds 3] [--pings 200] [URL]`

Drain: one and two processes work no-op jobs that were enqueued before; the time runs from the start of work until all
jobs have ended. Latency: the time from just before an enqueue in one process to the handler in an idle worker, another
process.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from statistics import median, quantiles
from time import monotonic, sleep
from types import ModuleType
from typing import IO

from servers import postgres

DRAINED = ("tallystick", "pgqueuer", "raw")
PINGED = ("tallystick", "pgqueuer", "procrastinate")

_LOOK = 0.02
_SETTLED = 2.0
"""Seconds after which a worker without jobs is idle."""

_PAUSE = 0.05


def module(system: str) -> ModuleType:
    """Return a system's module, with prepare, enqueue, ping, left and work."""
    return import_module(f"{system}_worker")


@contextmanager
def worker(system: str, url: str) -> Iterator[tuple[IO[str], IO[str]]]:
    """Run a worker in its own process, ready to begin; yield its standard input and output."""
    code = f"import {system}_worker; {system}_worker.work({url!r})"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=sys.path[0]
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield process.stdin, process.stdout
    finally:
        process.communicate()


def begin(stdin: IO[str]) -> None:
    """Start a worker's work."""
    stdin.write("\n")
    stdin.flush()


def drain(system: str, url: str, jobs: int, workers: int) -> float:
    """Return the jobs per second."""
    peer = module(system)
    peer.prepare(url)
    peer.enqueue(url, jobs)
    with ExitStack() as stack:
        ready = [stack.enter_context(worker(system, url)) for _ in range(workers)]
        began = monotonic()
        for stdin, _ in ready:
            begin(stdin)
        while peer.left(url):
            sleep(_LOOK)
        return jobs / (monotonic() - began)


def latencies(system: str, url: str, pings: int) -> list[float]:
    """Return the latency of each ping in milliseconds."""
    peer = module(system)
    peer.prepare(url)
    with worker(system, url) as (stdin, stdout):
        begin(stdin)
        sleep(_SETTLED)
        peer.ping(url, pings, _PAUSE)
        return [float(stdout.readline()) * 1_000 for _ in range(pings)]


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pings", type=int, default=200)
    options = parser.parse_args()
    with postgres(options.url) as url:
        for workers in (1, 2):
            compare(url, options.jobs, options.rounds, workers)
        print(f"pick-up latency of an idle worker, {options.pings} jobs, ms")
        for system in PINGED:
            found = latencies(system, url, options.pings)
            print(f"  {system:15} p50 {median(found):8.1f}   p95 {quantiles(found, n=20)[-1]:8.1f}", flush=True)


def compare(url: str, jobs: int, count: int, workers: int) -> None:
    """Measure each system in turn, and print a table."""
    rounds = [[drain(system, url, jobs, workers) for system in DRAINED] for _ in range(count)]
    print(f"{jobs:,} no-op jobs, {workers} worker process(es), jobs/s, median of {count} rounds")
    for system, figures in zip(DRAINED, zip(*rounds, strict=True), strict=True):
        ratio = median(figure / other[1] for figure, other in zip(figures, rounds, strict=True))
        spread = f"({min(figures):,.0f} to {max(figures):,.0f})"
        print(f"  {system:15}{median(figures):10,.0f} {spread:22} {ratio:.2f} x pgqueuer", flush=True)


if __name__ == "__main__":
    main()
