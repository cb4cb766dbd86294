"""One worker of the benchmark, and its reports."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from time import monotonic
from typing import NamedTuple

from ..contract.outcomes import Outcome
from ..contract.records import Record
from .jobs import latencies, opened_runner

_INTERVAL = 0.005


class Report(NamedTuple):
    """How far a worker is.

    Args:
        worker: The number of the worker.
        completed: How many jobs it has completed so far.
        last: When the last of them was recorded, in seconds of `time.monotonic`.
        latencies: How many seconds each ping took since the last report.
    """

    worker: int
    completed: int
    last: float
    latencies: list[float]


def work(url: str, number: int, *, report: Callable[[Report], None], ready: Event, begun: Event, ended: Event) -> None:
    """Open the store, set `ready`, and wait until `begun` is set. Then work and report until `ended` is set."""
    ends: list[float] = []
    with opened_runner(url) as runner:

        @runner.on_completed
        def note(record: Record, outcome: Outcome) -> None:
            ends.append(monotonic())

        _ = runner.backend
        ready.set()
        begun.wait()
        if ended.is_set():
            return
        completed, pings = 0, len(latencies)  # before a handler can append
        runner.start()
        while not ended.wait(_INTERVAL):
            if len(ends) > completed or len(latencies) > pings:
                new, completed = latencies[pings:], len(ends)
                pings += len(new)
                report(Report(number, completed, ends[completed - 1] if completed else 0.0, new))
        runner.stop(grace=timedelta(0))
