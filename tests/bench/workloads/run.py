"""Measure workloads that differ from no-op jobs, each beside its base; all take turns in each round.

`PYTHONPATH=tests python -m bench.workloads.run [--jobs 20000] [--rounds 5] [--depth 1000000] [--only NAME] [--write]`

The page `docs/workloads.md` describes the workloads. Those at depth have their own rounds at the end, because a server
is busy for a while after it was filled.
"""

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from tallystick.bench.machine import Machine, this_machine

from .measuring import Bench, Figures
from .workloads import DEPTH, WORKLOADS, Workload
from .workloads_page import GROUPS, page

RESULTS = Path(__file__).parents[3] / "docs" / "workloads.json"

Measured = dict[Workload, list[Figures]]


def main() -> None:
    """Measure, and print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--depth", type=int, default=1_000_000, help="the other jobs in the store")
    parser.add_argument("--only", action="append", help="only this group or store; repeatable")
    parser.add_argument("--write", action="store_true", help="record the results in docs/workloads.json")
    options = parser.parse_args()
    chosen = [w for w in WORKLOADS if _is_chosen(w, options.only or ())]
    machine = this_machine()
    measured: Measured = {workload: [] for workload in chosen}
    with ExitStack() as stack:
        bench = Bench(options.jobs, options.depth, stack, report=lambda text: None)
        for is_depth in (False, True):
            part = [workload for workload in chosen if (workload.group == DEPTH) == is_depth]
            for number in range(options.rounds if part else 0):
                _round(number, part, bench, measured)
                if options.write:  # after each round, so that a run that is interrupted leaves those before
                    _write(_results(measured, bench, machine))
        print(page(_results(measured, bench, machine)))


def _is_chosen(workload: Workload, only: Sequence[str]) -> bool:
    """Return whether a workload is of one of these groups and stores, with its base, which may have no store."""
    groups = {workload.group for workload in WORKLOADS} & set(only)
    stores = {workload.store for workload in WORKLOADS} & set(only)
    return (not groups or workload.group in groups) and (not stores or workload.store in {"", *stores})


def _round(number: int, workloads: Sequence[Workload], bench: Bench, measured: Measured) -> None:
    for workload in workloads:
        began = monotonic()
        found = workload.measure(bench, workload.store)
        measured[workload].append({name: float(f"{figure:.6g}") for name, figure in found.items()})
        shown = ", ".join(f"{name} {figure:,.4g}" for name, figure in found.items())
        name = ", ".join(filter(None, [workload.group, workload.store, workload.name]))
        print(f"round {number + 1}, {monotonic() - began:.0f} s: {name}: {shown}", flush=True)


def _results(measured: Measured, bench: Bench, machine: Machine) -> dict[str, Any]:
    described = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": machine,
        "jobs": bench.jobs,
        "depth": bench.depth,
    }
    groups: dict[str, dict[str, Any]] = {}
    for workload, rounds in measured.items():
        if rounds:
            group = groups.setdefault(workload.group, {**described, "rounds": len(rounds), "workloads": []})
            group["workloads"].append(_entry(workload, bench, rounds))
    return groups


def _entry(workload: Workload, bench: Bench, rounds: list[Figures]) -> dict[str, Any]:
    return {
        "store": f"{workload.store} {bench.version(workload.store)}".strip(),
        "name": workload.name,
        "base": workload.base,
        "target": workload.target,
        "rounds": {name: [found[name] for found in rounds] for name in rounds[0]},
    }


def _write(results: dict[str, Any]) -> None:
    """Record the groups that were measured, and keep the others."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    merged = {group: (kept | results)[group] for group in GROUPS if group in kept | results}
    RESULTS.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
