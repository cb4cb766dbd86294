"""The workloads, in the order of the page."""

from dataclasses import dataclass

from bench.peers.systems import MEMORY, POSTGRES, SQLITE
from tallystick.bench import raw

from .costs import costs
from .measuring import (
    WAKE_UPS,
    Measure,
    computations,
    drain,
    enqueue,
    failures,
    idle,
    memory,
    of_bench,
    sleeps,
    wake_ups,
)
from .workloads_page import COMPUTED

SHAPES, PROCESSES, ASYNC, COMPUTE, THREADS, IDLE, RESIDENT, COSTS, DEPTH = (
    "shapes",
    "processes",
    "async",
    "compute",
    "threads",
    "idle",
    "resident",
    "costs",
    "depth",
)


@dataclass(frozen=True)
class Workload:
    """One workload on one store.

    Args:
        group: The section of the page.
        store: The store. Empty: none.
        name: For people.
        measure: Does it once.
        base: The name of the workload of this group that it is compared with, on the same store or on none.
        target: The lowest ratio to the base, the largest memory in bytes, or the largest share of a core in percent.
    """

    group: str
    store: str
    name: str
    measure: Measure
    base: str | None = None
    target: float | None = None


def _shapes(store: str) -> list[Workload]:
    plain = "plain jobs"
    names = {
        "payload": "payloads of 4 KB",
        "queues": "50 queues",
        "priorities": "10 priorities",
        "failing": "half of the jobs fail once",
    }
    return [
        Workload(SHAPES, store, plain, drain("plain")),
        *(Workload(SHAPES, store, name, drain(shape), plain, 0.6) for shape, name in names.items()),
    ]


def _depth(store: str) -> list[Workload]:
    plain = "no other jobs"
    works = {"due": raw.among_due, "future": raw.among_future, "finished": raw.among_finished}
    return [
        Workload(DEPTH, store, plain, of_bench(raw.claim_and_settle)),
        *(Workload(DEPTH, store, f"{name} jobs", of_bench(work), plain) for name, work in works.items()),
    ]


def _threads(store: str) -> list[Workload]:
    one = "one thread"
    return [
        Workload(THREADS, store, one, enqueue()),
        Workload(THREADS, store, "8 threads", enqueue(threads=8), one, 3),
    ]


def _processes(store: str) -> list[Workload]:
    one = "one worker"
    return [
        Workload(PROCESSES, store, one, drain("plain")),
        Workload(PROCESSES, store, "two workers", drain("plain", processes=2), one),
    ]


_LOOP, _PROCESSES = "bare event loop", "two bare processes"
WORKLOADS = (
    *_shapes(POSTGRES),
    *_shapes(SQLITE),
    Workload(SHAPES, "", "bare loop, half of the calls fail once", failures),
    *_processes(POSTGRES),
    *_processes(SQLITE),
    Workload(ASYNC, "", _LOOP, sleeps),
    *(Workload(ASYNC, store, "200 async handlers", drain("sleep"), _LOOP, 0.7) for store in (POSTGRES, SQLITE, MEMORY)),
    Workload(COMPUTE, "", _PROCESSES, computations(processes=2, share=COMPUTED)),
    Workload(
        COMPUTE,
        "",
        "two bare processes of ten threads",
        computations(processes=2, share=COMPUTED, threads=10),
        _PROCESSES,
    ),
    Workload(COMPUTE, POSTGRES, "two workers", drain("compute", processes=2, share=COMPUTED), _PROCESSES, 0.95),
    *_threads(POSTGRES),
    *_threads(SQLITE),
    Workload(IDLE, "", f"bare thread that wakes {WAKE_UPS} times a second", wake_ups),
    *(Workload(IDLE, store, "idle worker", idle, target=0.5) for store in (POSTGRES, SQLITE)),
    Workload(RESIDENT, POSTGRES, "one worker", memory(1, 5, 10), target=80e6),
    Workload(COSTS, POSTGRES, "Tallystick", costs("Tallystick")),
    Workload(COSTS, POSTGRES, "PgQueuer", costs("PgQueuer")),
    *_depth(POSTGRES),
    *_depth(SQLITE),
)
