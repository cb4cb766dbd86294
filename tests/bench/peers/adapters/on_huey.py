"""Huey in SQLite (WAL, synchronous FULL) or in memory, with a consumer of four threads that polls every 10 ms."""

import logging
import threading
from time import monotonic
from typing import Any

from child import begin, pause, picked_up, until_end
from huey import MemoryHuey, SqliteHuey
from huey.consumer import Consumer


def _tasks(huey: Any) -> tuple[Any, Any]:
    logging.getLogger("huey").setLevel(logging.CRITICAL)

    @huey.task()
    def noop(n: int) -> None:
        """Do nothing."""

    @huey.task()
    def latency(sent: float) -> None:
        picked_up(sent)

    return noop, latency


def _on_file(path: str) -> Any:
    return SqliteHuey(filename=path, fsync=True, results=False)


def _consumer(huey: Any) -> Any:
    return Consumer(huey, workers=4, periodic=False, initial_delay=0.01, max_delay=0.01)


def setup(path: str) -> None:
    """Create the tables."""
    _on_file(path)


def enqueue_one(path: str, jobs: int) -> float:
    """Enqueue one by one."""
    noop, _ = _tasks(_on_file(path))
    noop(0)
    began = monotonic()
    for n in range(jobs):
        noop(n)
    return monotonic() - began


def ping(path: str, times: int) -> None:
    """Enqueue pings."""
    _, latency = _tasks(_on_file(path))
    for _ in range(times):
        latency(monotonic())
        pause()


def work(path: str) -> None:
    """Work until standard input ends."""
    huey = _on_file(path)
    _tasks(huey)
    consumer = _consumer(huey)
    begin()
    consumer.start()
    until_end()
    consumer.stop()


def alone(jobs: int, pings: int) -> dict[str, object]:
    """Do each work in this process."""
    huey = MemoryHuey(results=False)
    latencies: list[float] = []
    done = threading.Event()
    remaining = iter(range(jobs - 1, -1, -1))
    logging.getLogger("huey").setLevel(logging.CRITICAL)

    @huey.task()
    def noop(n: int) -> None:
        if next(remaining) == 0:
            done.set()

    @huey.task()
    def latency(sent: float) -> None:
        latencies.append(monotonic() - sent)

    began = monotonic()
    for n in range(jobs):
        noop(n)
    enqueued = monotonic()
    consumer = _consumer(huey)
    consumer.start()
    done.wait()
    drained = monotonic()
    for _ in range(pings):
        pause()
        latency(monotonic())
    while len(latencies) < pings:
        pause()
    consumer.stop()
    return {"enqueue_one": enqueued - began, "drain": drained - enqueued, "latencies": latencies}
