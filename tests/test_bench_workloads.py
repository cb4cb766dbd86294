"""The benchmark of workloads: its list, its measurements, and its page."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from bench.peers.systems import MEMORY, SQLITE
from bench.workloads import workloads_page
from bench.workloads.measuring import CPU, RATE, SERVER_CPU, Bench, computations, drain, enqueue, failures, sleeps
from bench.workloads.workloads import WORKLOADS

MACHINE = {"cores": 2, "memory_gib": 8.0, "system": "Linux x86_64", "python": "3.12.1", "load": 0.1}


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A run of a few jobs."""
    with ExitStack() as stack:
        yield Bench(20, 20, stack, report=lambda text: None)


def entry(name: str, rounds: dict[str, list[float]], **changes: Any) -> dict[str, Any]:
    """Return the results of one workload."""
    return {"store": SQLITE, "name": name, "base": None, "target": None, "rounds": rounds, **changes}


def group(*workloads: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the results of a group."""
    described = {"date": "2026-11-29", "machine": MACHINE, "jobs": 2_000, "depth": 10, "rounds": 3}
    return {**described, "workloads": list(workloads), **changes}


def test_groups_and_bases() -> None:
    """Each workload has a section of the page, and its base is an earlier one of the same store or of none."""
    assert {workload.group for workload in WORKLOADS} == set(workloads_page.GROUPS)
    assert not set(workloads_page.GROUPS) & {workload.store for workload in WORKLOADS}, "`--only` takes both"
    for number, workload in enumerate(WORKLOADS):
        bases = [
            other
            for other in WORKLOADS[:number]
            if (other.group, other.name) == (workload.group, workload.base) and other.store in ("", workload.store)
        ]
        assert len(bases) == (workload.base is not None)


@pytest.mark.parametrize(("store", "shape"), [(SQLITE, "failing"), (SQLITE, "queues"), (MEMORY, "sleep")])
def test_drain(bench: Bench, store: str, shape: str) -> None:
    """A worker works all jobs of a shape, and reports its CPU time."""
    found = drain(shape)(bench, store)
    assert found.keys() == {RATE, CPU}
    assert min(found.values()) > 0


def test_bare_loops(bench: Bench) -> None:
    """The bases without jobs sleep, compute and fail."""
    assert sleeps(bench, "")[RATE] > 0
    assert computations(processes=2, share=0.1)(bench, "")[RATE] > 0
    assert computations(processes=1, share=0.1, threads=2)(bench, "")[RATE] > 0
    assert min(failures(bench, "").values()) > 0


def test_enqueue(bench: Bench) -> None:
    """A process enqueues jobs in several threads, and reports its CPU time."""
    found = enqueue(threads=2)(bench, SQLITE)
    assert found.keys() == {RATE, CPU}
    assert min(found.values()) > 0


def test_ratio() -> None:
    """The ratio is the median of the ratios of each round. A ratio below its target is bold."""
    plain = entry("plain jobs", {RATE: [100, 100, 300]})
    other = entry("others", {RATE: [80, 50, 150], CPU: [7.5, 8, 9]}, base="plain jobs", target=0.6)
    page = workloads_page.page({"shapes": group(plain, other)})
    assert "| SQLite | plain jobs | 100 | - | - | - | - |" in page
    assert "| SQLite | others | 80 | 8 | 0.00 | **0.5** | 0.6 |" in page
    other["target"] = 0.4
    assert "| 0.5 | 0.4 |" in workloads_page.page({"shapes": group(plain, other)})


def test_base_without_store() -> None:
    """A base that needs no store is that of all stores."""
    base = entry("loop", {RATE: [100]}, store="")
    page = workloads_page.page({"async": group(base, entry("handlers", {RATE: [70]}, base="loop", target=0.7))})
    assert "| - | loop | 100 | - | - |" in page
    assert "| SQLite | handlers | 70 | 0.7 | 0.7 |" in page


def test_cores() -> None:
    """The cores in use are the median over the rounds of the rate times the CPU time of client and server."""
    rounds = {RATE: [1e4, 2e4, 2e4], CPU: [40.0, 30.0, 50.0], SERVER_CPU: [20.0, 20.0, 40.0]}
    page = workloads_page.page({"processes": group(entry("two workers", rounds))})
    assert "| SQLite | two workers | 20,000 | 40 | 20 | 1.00 | - | - |" in page


def test_idle() -> None:
    """A share of a core above the target is bold."""
    shares = [entry(name, {"core_percent": [share]}, target=0.5) for name, share in (("busy", 0.7), ("calm", 0.4))]
    page = workloads_page.page({"idle": group(*shares)})
    assert "| SQLite | busy | **0.7** | 0.5 |" in page
    assert "| SQLite | calm | 0.4 | 0.5 |" in page


def test_memory() -> None:
    """Memory above the target is bold."""
    page = workloads_page.page({"resident": group(entry("one", {"2000": [6e7], "20000": [9e7]}, target=80e6))})
    assert "| store | 2,000 jobs | 20,000 jobs |" in page
    assert "| SQLite | 60.0 MB | **90.0 MB** |" in page


def test_costs() -> None:
    """The costs of the other system have the ratio of ours to them."""
    columns = {**workloads_page.COUNTERS, **workloads_page.TIMES}
    names = [f"{phase}.{column}" for phase in workloads_page.PHASES for column in columns]
    ours, other = ({name: [figure] for name in names} for figure in (2.0, 4.0))
    page = workloads_page.page({"costs": group(entry("Tallystick", ours), entry("PgQueuer", other))})
    assert "| drain | Tallystick | 2 | 2 | 2 | 2 | 2 |" in page
    assert "| drain | PgQueuer | 4 (0.5) | 4 (0.5) | 4 (0.5) | 4 (0.5) | 4 (0.5) |" in page


def test_measured() -> None:
    """The page describes the measurement once, or for each group if they were measured apart."""
    plain = entry("one", {RATE: [1]})
    once = workloads_page.page({"threads": group(plain), "depth": group(plain)})
    assert once.count("Medians of 3 rounds on 2026-11-29") == 1
    apart = workloads_page.page({"threads": group(plain), "depth": group(plain, rounds=1)})
    assert apart.count("Medians of 3 rounds") == apart.count("One round") == 1
