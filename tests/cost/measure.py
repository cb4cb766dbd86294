"""Measure the costs of a job, and compare them with the recorded ones.

`PYTHONPATH=tests python tests/cost/measure.py [--only STORE] [--write REASON]`

With --write, record the costs that changed, with the reason.
"""

import argparse
import os
import sys
from collections.abc import Callable

from cost import ledger, on_mongo, on_postgres, on_runner, on_sqlite
from cost.ledger import Costs, StoreCosts

STORES: dict[str, Callable[..., StoreCosts]] = {
    "runner": on_runner.measure,
    "sqlite": on_sqlite.measure,
    "postgres": on_postgres.measure,
    "mongo": on_mongo.measure,
}


def obstacle(store: str) -> str | None:
    """Return why the costs of a store cannot be compared in this environment, or None."""
    if store == "runner" and sys.version_info[:2] != on_runner.PYTHON:
        return "the instructions of Python {}.{} are recorded".format(*on_runner.PYTHON)
    if store == "postgres" and os.environ.get("TALLYSTICK_TEST_POSTGRES_BIN"):
        return "the costs of the PostgreSQL in uv.lock are recorded"
    return None


def recorded_costs(store: str) -> Costs:
    """Return the recorded costs of a store."""
    recorded = ledger.in_force(ledger.changes(ledger.FILE.read_text()))
    return {key: cost for key, cost in recorded.items() if key.store == store}


def main() -> int:
    """Measure, and print a table; return 1 if a cost differs and is not written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=STORES)
    parser.add_argument("--write", metavar="REASON")
    options = parser.parse_args()
    changed: Costs = {}
    for store in [options.only] if options.only else STORES:
        if why := obstacle(store):
            print(f"{store}: {why}")
            continue
        costs, recorded = ledger.keyed(store, STORES[store]()), recorded_costs(store)
        for key, cost in costs.items():
            print(f"{key.store:10} {key.phase:15} {key.unit:24} {cost:12,}", flush=True)
        different = ledger.differences(costs, recorded)
        for line in ledger.described(different, recorded):
            print(line)
        changed |= different
    if changed and options.write:
        with ledger.FILE.open("a") as file:
            file.write(ledger.entry(changed, options.write))
    return 1 if changed and not options.write else 0


if __name__ == "__main__":
    sys.exit(main())
