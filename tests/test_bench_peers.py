"""The comparison with other libraries: its adapters, its environments, and its page."""

import ast
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from bench.peers import peers_page
from bench.peers.children import ADAPTERS
from bench.peers.systems import MEMORY, POSTGRES, SYSTEMS, System

PINNED = re.compile(r"[\w.-]+==[\w.]+")


def results(ours: list[float], theirs: list[float]) -> dict[str, Any]:
    """Return results of two systems with these figures for a drain."""
    entry = {"store": POSTGRES, "version": "1.0", "settings": "defaults", "share": 0.5}
    return {
        "date": "2026-11-29",
        "machine": {"cores": 2, "memory_gib": 8.0, "system": "Linux x86_64", "python": "3.12.1", "load": 0.1},
        "versions": {POSTGRES: "18.6"},
        "jobs": 20_000,
        "rounds": len(ours),
        "pings": 100,
        "systems": [
            {**entry, "name": "Tallystick", "rounds": {"drain_1": ours}},
            {**entry, "name": "<Other>", "rounds": {"drain_1": theirs, "pick_up_p50": [3.0] * len(theirs)}},
        ],
    }


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: f"{system.store}-{system.name}")
def test_adapters(system: System) -> None:
    """Each adapter has the functions of the works that its system does."""
    tree = ast.parse((ADAPTERS / f"{system.adapter}.py").read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    functions |= {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    functions_of = {"enqueue_one": {"enqueue_one"}, "pick_up": {"work", "ping"}, "alone": {"alone"}}
    needed = set().union(*(functions_of.get(work, {"work"}) for work in system.works))
    if system.store != MEMORY:
        needed |= {"setup", "enqueue_batch" if system.has_batches else "enqueue_one"}
    assert needed <= functions


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: f"{system.store}-{system.name}")
def test_environments(system: System) -> None:
    """Another library has a file of packages with exact versions, and no other system has one."""
    ours = system.name == "Tallystick" or system.is_limit
    assert (system.requirements is None) == ours
    if system.requirements is not None:
        assert [line for line in system.requirements.read_text().splitlines() if not PINNED.fullmatch(line)] == []


def test_ratio() -> None:
    """The ratio is the median of the ratios of each round, not the ratio of the medians."""
    page = peers_page.page(results([200, 100, 300], [100, 100, 300]))
    assert "| Tallystick 1.0 | 200 | - |" in page
    assert "| <Other> 1.0 | 100 (1) | 3 |" in page
    assert "medians of 3 rounds" in page
    assert "defaults; 50% of the jobs" in page


def test_busy_machine() -> None:
    """The page warns of figures that were measured while other programs used the machine."""
    measured = results([1.0], [1.0])
    assert "kept this machine busy" not in peers_page.page(measured)
    measured["machine"]["load"] = 3.5
    assert "kept this machine busy" in peers_page.page(measured)


def test_charts() -> None:
    """A chart is well-formed, also with a name that must be escaped, and has a bar for each system."""
    [(name, chart)] = peers_page.charts(results([2.0], [1.0])).items()
    assert name == "peers-postgresql.svg"
    labels = [element.text for element in ElementTree.fromstring(chart).iter("{http://www.w3.org/2000/svg}text")]
    assert labels.count("<Other> 1.0") == 2
    assert "drain with one process, jobs per second" in labels
