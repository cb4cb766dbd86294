"""The works that the systems do, once a round."""

from collections.abc import Iterator
from contextlib import ExitStack
from math import ceil
from time import monotonic, sleep

from .children import Environments, begin, wait_for_ends
from .systems import System
from .targets import target, wait_until_empty

_SETTLED = 1.5
"""Seconds after which a worker without jobs is idle."""

Figures = dict[str, float]


def measure(system: System, work: str, server: str, environments: Environments, *, jobs: int, pings: int) -> Figures:
    """Do one work; return jobs per second or milliseconds, by the name of the figure."""
    jobs = max(1, round(jobs * system.share))
    match work:
        case "alone":
            return dict(_alone(environments.call(system, "alone", jobs, pings), jobs))
        case "enqueue_one":
            return _enqueue_one(system, server, environments, max(1, jobs // 10))
        case "drain_1":
            return _drain(system, server, environments, jobs, processes=1)
        case "drain_2":
            return _drain(system, server, environments, jobs, processes=2)
        case _:
            return _pick_up(system, server, environments, pings)


def _alone(seconds: dict[str, object], jobs: int) -> Iterator[tuple[str, float]]:
    for name, value in seconds.items():
        if isinstance(value, float):
            yield "drain_1" if name == "drain" else name, jobs / value
        elif isinstance(value, list) and value:
            yield from _percentiles(value).items()


def _enqueue_one(system: System, server: str, environments: Environments, jobs: int) -> Figures:
    with target(system, server) as place:
        environments.call(system, "setup", place)
        return {"enqueue_one": jobs / environments.call(system, "enqueue_one", place, jobs)}


def _drain(system: System, server: str, environments: Environments, jobs: int, *, processes: int) -> Figures:
    """Enqueue all jobs, in batches if the system has them, and then let worker processes work them."""
    found: Figures = {}
    with target(system, server) as place:
        environments.call(system, "setup", place)
        enqueue = "enqueue_batch" if system.has_batches else "enqueue_one"
        seconds = environments.call(system, enqueue, place, jobs)
        if processes == 1 and system.has_batches:
            found[enqueue] = jobs / seconds
        with ExitStack() as stack:
            ready = [stack.enter_context(environments.worker(system, place)) for _ in range(processes)]
            began = monotonic()
            for stdin, _ in ready:
                begin(stdin)
            if system.left is None:
                ended = wait_for_ends([stdout for _, stdout in ready], jobs)
            else:
                ended = wait_until_empty(system.left, place)
            found[f"drain_{processes}"] = jobs / (ended - began)
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
