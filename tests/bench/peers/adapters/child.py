"""What the adapters of all systems share. Uses the standard library only, as each runs in its own environment.

`python child.py MODULE FUNCTION ARGUMENT ...` calls a function of an adapter, and prints its result as JSON.

An adapter is a module with these functions. Those that enqueue return the elapsed seconds.

- `setup(target)`: create the tables in a new, empty database or file.
- `enqueue_one(target, jobs)`: enqueue no-op jobs one by one.
- `enqueue_batch(target, jobs)`: the same in batches of 1,000. Left out if the system has no batches.
- `work(target)`: get ready, call `begin`, and work until standard input ends. A ping calls `picked_up`.
- `ping(target, times)`: enqueue jobs with the time of their enqueue, with `pause` after each.

An adapter of a system in memory has `alone(jobs, pings)` instead, which returns the seconds of each work.
"""

import asyncio
import json
import random
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from time import monotonic, sleep

BATCH = 1_000


def batches(jobs: int) -> Iterator[range]:
    """Yield the numbers of the jobs of each batch."""
    for start in range(0, jobs, BATCH):
        yield range(start, min(start + BATCH, jobs))


def begin() -> None:
    """Say that the worker is ready, and wait until it may begin."""
    print("ready", flush=True)
    sys.stdin.readline()


def until_end() -> None:
    """Wait until the worker should stop."""
    sys.stdin.read()


def picked_up(sent: float) -> None:
    """Report how many seconds a ping took."""
    sys.stdout.write(f"{monotonic() - sent}\n")  # at once, as another thread may report, too
    sys.stdout.flush()


async def report_ends(ends: Sequence[float]) -> None:
    """Report how many jobs have ended, and when the last one did, for a system that no query can observe."""
    reported = 0
    while True:
        if len(ends) > reported:
            reported = len(ends)
            print(reported, ends[reported - 1], flush=True)
        await asyncio.sleep(0.01)


def pause_seconds() -> float:
    """Return a random pause between two pings, which does not agree with any polling."""
    return random.uniform(0.02, 0.06)


def pause() -> None:
    """Wait between two pings."""
    sleep(pause_seconds())


def main() -> None:
    """Call a function of an adapter."""
    module, function, *arguments = sys.argv[1:]
    result = getattr(import_module(module), function)(*map(json.loads, arguments))
    if result is not None:
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
