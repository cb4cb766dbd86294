"""Measure the pick-up latency: the time from an enqueue in another process to the handler in an idle worker.

`python tests/bench/bench_latency.py [--jobs 200] [URL]`
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from threading import Event

from tallystick import Context, Runner

ENQUEUER = """
import random, sys, time
from tallystick import NewRecord, open_backend
with open_backend(sys.argv[1]) as backend:
    for _ in range(int(sys.argv[2])):
        time.sleep(random.uniform(0.03, 0.08))
        backend.insert([NewRecord(kind="tick", payload=str(time.time_ns()).encode())])
"""


def measure(url: str, jobs: int) -> list[float]:
    """Return the latencies in milliseconds, from just before the insert to the handler's first line."""
    latencies: list[float] = []
    done = Event()
    with Runner(url) as runner:

        @runner.job("tick")
        def tick(sent: int, ctx: Context) -> None:
            latencies.append((time.time_ns() - sent) / 1e6)
            if len(latencies) == jobs:
                done.set()

        runner.start()
        with subprocess.Popen([sys.executable, "-c", ENQUEUER, url, str(jobs)]):
            done.wait()
    return latencies


def main() -> None:
    """Measure, and print median and 95th percentile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", metavar="URL")
    parser.add_argument("--jobs", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        latencies = measure(options.url or f"sqlite:///{Path(folder) / 'jobs.db'}", options.jobs)
    p95 = quantiles(latencies, n=20)[-1]
    print(f"{options.jobs} jobs from another process, worker idle: median {median(latencies):.1f} ms, p95 {p95:.1f} ms")


if __name__ == "__main__":
    main()
