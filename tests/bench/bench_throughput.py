"""Measure the throughput of no-op jobs in one process on each backend, as the median of several rounds in turn.

`python tests/bench/bench_throughput.py [--jobs 20000] [--rounds 5] [URL ...]`
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median
from threading import Event
from time import perf_counter

from tallystick import Context, Job, Outcome, Record, Runner

_BATCH = 1_000


class Noop(Job[None]):
    """Does nothing."""

    kind = "noop"
    n: int

    def work(self, ctx: Context) -> None:
        """Do nothing."""


def measure(url: str, jobs: int) -> tuple[float, float]:
    """Return the jobs per second enqueued in batches of 1,000, and worked."""
    done = Event()
    with Runner(url) as runner:
        runner.register(Noop)
        remaining = iter(range(jobs - 1, -1, -1))

        @runner.on_completed
        def count(record: Record, outcome: Outcome) -> None:
            if next(remaining) == 0:
                done.set()

        began = perf_counter()
        for start in range(0, jobs, _BATCH):
            runner.enqueue_batch([Noop(n=n) for n in range(start, min(start + _BATCH, jobs))])
        enqueued = perf_counter()
        runner.start()
        done.wait()
        drained = perf_counter()
    return jobs / (enqueued - began), jobs / (drained - enqueued)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("urls", nargs="*", metavar="URL")
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        names: list[str] = []
        rounds: list[list[tuple[float, float]]] = []
        for n in range(options.rounds):
            urls = options.urls or ["memory://", f"sqlite:///{Path(folder) / f'{n}.db'}"]
            rounds.append([measure(url, options.jobs) for url in urls])
            names = [url.partition(":")[0] for url in urls]
    print(f"{options.jobs:,} no-op jobs, one process, median of {options.rounds} rounds in turn (jobs/s)")
    for name, *figures in zip(names, *rounds, strict=True):
        enqueued, drained = (median(column) for column in zip(*figures, strict=True))
        spread = f"{min(f[1] for f in figures):,.0f} to {max(f[1] for f in figures):,.0f}"
        print(f"{name:10} enqueue {enqueued:10,.0f}   drain {drained:10,.0f}   ({spread})")


if __name__ == "__main__":
    main()
