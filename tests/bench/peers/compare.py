"""Compare Tallystick with other libraries on PostgreSQL, on SQLite and in memory; the systems take turns.

`PYTHONPATH=tests python -m bench.peers.compare [--jobs 20000] [--rounds 5] [--pings 100] [--only NAME] [--write] [URL]`

The server of PostgreSQL has `fsync` and `synchronous_commit` on. The page `docs/peers.md` describes the works.
"""

import argparse
import json
import sqlite3
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from bench.peers.children import Environments
from bench.peers.measuring import Figures, measure
from bench.peers.peers_page import page
from bench.peers.systems import MEMORY, POSTGRES, SQLITE, SYSTEMS, WORKS, System
from servers import postgres
from tallystick.bench.machine import this_machine

RESULTS = Path(__file__).parents[3] / "docs" / "peers.json"


def main() -> None:
    """Measure, and print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", help="a server of PostgreSQL, by default a new one")
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pings", type=int, default=100)
    parser.add_argument("--only", action="append", help="only this system or store; repeatable")
    parser.add_argument("--environments", type=Path, help="a folder that keeps the environments for the next time")
    parser.add_argument("--write", action="store_true", help="record the results in docs/peers.json")
    options = parser.parse_args()
    systems = [s for s in SYSTEMS if not options.only or {s.name, s.store} & set(options.only)]
    machine = this_machine()
    figures: dict[System, list[Figures]] = {system: [] for system in systems}
    results: dict[str, Any] = {}
    with postgres(options.url) as server, TemporaryDirectory() as folder:
        environments = Environments(options.environments or Path(folder))
        versions = {POSTGRES: _version(server), SQLITE: sqlite3.sqlite_version, MEMORY: ""}
        for number in range(options.rounds):
            _round(number, figures, server, environments, options)
            results = {
                "date": f"{datetime.now(UTC):%Y-%m-%d}",
                "machine": machine,
                "versions": versions,
                "jobs": options.jobs,
                "rounds": number + 1,
                "pings": options.pings,
                "systems": [_entry(system, rounds) for system, rounds in figures.items()],
            }
            if options.write:  # after each round, so that a run that is interrupted leaves those before
                RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(page(results))


def _round(
    number: int,
    figures: dict[System, list[Figures]],
    server: str,
    environments: Environments,
    options: argparse.Namespace,
) -> None:
    """Let all systems do one work, and then the next, so that a slow minute of the machine affects all of them."""
    found: dict[System, Figures] = {system: {} for system in figures}
    for work, system in product(WORKS, figures):
        if work in system.works:
            new = measure(system, work, server, environments, jobs=options.jobs, pings=options.pings)
            found[system] |= new
            shown = ", ".join(f"{name} {figure:,.4g}" for name, figure in new.items())
            print(f"round {number + 1}: {system.store}, {system.name}: {shown}", flush=True)
    for system, rounds in figures.items():
        rounds.append(found[system])


def _version(server: str) -> str:
    with psycopg.connect(server) as connection:
        return str(connection.info.server_version // 10_000) + f".{connection.info.server_version % 10_000}"


def _entry(system: System, rounds: list[Figures]) -> dict[str, Any]:
    package = system.requirements.read_text().splitlines() if system.requirements else []
    name = system.adapter.removeprefix("on_").replace("_", "-")
    [version] = [line.partition("==")[2] for line in package if line.startswith((f"{name}==", f"{name}-pg=="))] or [""]
    return {
        "store": system.store,
        "name": system.name,
        "version": version,
        "settings": system.settings,
        "share": system.share,
        "rounds": {work: [float(f"{found[work]:.4g}") for found in rounds] for work in rounds[0]},
    }


if __name__ == "__main__":
    main()
