"""The works that each system does, once a round."""

from collections.abc import Iterator
from contextlib import ExitStack
from math import ceil
from time import monotonic, sleep

from .children import Environments, begin
from .systems import MEMORY, System
from .targets import target, wait_until_empty

_SETTLED = 1.5
"""Seconds after which a worker without jobs is idle."""

Figures = dict[str, float]


def measure(system: System, server: str, environments: Environments, *, jobs: int, pings: int) -> Figures:
    """Return jobs per second and milliseconds, by the name of the work."""
    jobs = max(1, round(jobs * system.share))
    if system.store == MEMORY:
        return dict(_alone(environments.call(system, "alone", jobs, pings), jobs))
    found: Figures = {}
    if "enqueue_one" in system.measured:
        few = max(1, jobs // 10)
        with target(system, server) as place:
            environments.call(system, "setup", place)
            found["enqueue_one"] = few / environments.call(system, "enqueue_one", place, few)
    for processes in (1, 2):
        found |= _drain(system, server, environments, jobs, processes)
    if "pick_up" in system.measured:
        found |= _pick_up(system, server, environments, pings)
    return found


def _alone(seconds: dict[str, object], jobs: int) -> Iterator[tuple[str, float]]:
    for name, value in seconds.items():
        if isinstance(value, float):
            yield "drain_1" if name == "drain" else name, jobs / value
        elif isinstance(value, list) and value:
            yield from _percentiles(value).items()


def _drain(system: System, server: str, environments: Environments, jobs: int, processes: int) -> Figures:
    """Enqueue all jobs, and then let worker processes work them."""
    found: Figures = {}
    with target(system, server) as place:
        environments.call(system, "setup", place)
        enqueue = "enqueue_batch" if "enqueue_batch" in system.measured else "enqueue_one"
        seconds = environments.call(system, enqueue, place, jobs)
        if processes == 1:
            found[enqueue] = jobs / seconds
        with ExitStack() as stack:
            ready = [stack.enter_context(environments.worker(system, place)) for _ in range(processes)]
            began = monotonic()
            for stdin, _ in ready:
                begin(stdin)
            found[f"drain_{processes}"] = jobs / (wait_until_empty(system, place, environments) - began)
    return found


def _pick_up(system: System, server: str, environments: Environments, pings: int) -> Figures:
    """Enqueue single jobs in one process while a worker, another process, is idle."""
    with target(system, server) as place:
        environments.call(system, "setup", place)
        with environments.worker(system, place) as (stdin, stdout):
            begin(stdin)
            sleep(_SETTLED)
            environments.call(system, "ping", place, pings)
            return _percentiles([float(stdout.readline()) for _ in range(pings)])


def _percentiles(seconds: list[float]) -> Figures:
    ordered = sorted(seconds)
    return {f"pick_up_p{p}": ordered[ceil(len(ordered) * p / 100) - 1] * 1_000 for p in (50, 95)}
