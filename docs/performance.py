"""The page of recorded costs."""

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from cost import ledger, plain_path  # the tests are not installed

_HEAD = f"""\
# Performance

This page lists the cost of 1,000 jobs on the plain path. Each job has a payload of {len(plain_path.PAYLOAD)} bytes,
and no tags, unique key or delay. A test measures these costs on every change. It fails if a cost rises or falls, until
the change records the new number with a reason. So a feature that you do not use costs you nothing.

Counts do not depend on the speed of the machine, so they show small changes that a benchmark cannot show.
[Peers](peers.md) has times beside those of other libraries, [Workloads](workloads.md) those of other jobs, and
[`tallystick bench`](operating.md#measure-your-store) measures your store.
"""

_STORES = {
    "postgres": (
        "PostgreSQL",
        """\
- `statements` are the statements that the client sends, with BEGIN and COMMIT. `statements_in_triggers` are those that
  the triggers and functions of the store execute.
- `round_trips` are the times that the client waits for the server. A proxy between them counts the changes of
  direction.
- `commits` are the transactions that write. With `synchronous_commit`, each one waits for the disk.
- `wal_bytes` is how far the position in the write-ahead log moves. The server has `fsync` and `synchronous_commit` on.
  It has `full_page_writes` and `autovacuum` off, so that no number depends on the time of a checkpoint. With
  `full_page_writes` on, PostgreSQL also writes each page as a whole at its first change after a checkpoint.
- `buffers` are the pages that the statements read or change, in the cache or on disk.""",
    ),
    "sqlite": (
        "SQLite",
        """\
- `statements` are the statements that SQLite executes, with BEGIN and COMMIT.
- `commits` and `pages_written` are counted in the write-ahead log. A checkpoint later writes the pages to the database.
  With `synchronous=FULL`, each commit waits for the disk.""",
    ),
    "mongo": (
        "MongoDB",
        """\
- `commands` are the commands that the driver sends. Each one is a round trip.
- `writes` are the documents, updates and deletes in these commands. They include the changes to other collections than
  that of the jobs.""",
    ),
    "runner": (
        "The runner",
        """\
- `instructions` are the bytecode instructions of Python 3.13 for sync handlers that do nothing, on the memory backend.
  They include the instructions of the backend and of libraries in Python. They exclude the work of libraries in C and
  Rust, such as the validation by pydantic.""",
    ),
}

_PHASES = {
    "insert_batch": "insert in one batch",
    "insert_single": "insert one by one",
    "claim": "claim in batches of 100",
    "settle": "settle in batches of 100",
    "enqueue_batch": "enqueue in one batch",
    "enqueue_single": "enqueue one by one",
    "work": "claim, run and settle in batches of 100",
}


def page() -> str:
    """Return the page."""
    changes = ledger.changes(ledger.FILE.read_text(encoding="utf-8"))
    recorded = ledger.in_force(changes)
    stores = [f"## {title}\n\n{_table(store, recorded)}\n\n{units}\n" for store, (title, units) in _STORES.items()]
    return "\n".join([_HEAD, *stores, _history(changes)])


def _table(store: str, recorded: ledger.Costs) -> str:
    costs = {(key.phase, key.unit): cost for key, cost in recorded.items() if key.store == store}
    units = list(dict.fromkeys(unit for _, unit in costs))
    rows = [["1,000 jobs", *(f"`{unit}`" for unit in units)], ["---", *("---:" for _ in units)]]
    for phase in (phase for phase in _PHASES if (phase, units[0]) in costs):
        rows.append([_PHASES[phase], *(f"{costs[phase, unit]:,}" for unit in units)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _history(changes: Iterable[ledger.Change]) -> str:
    return "## Changes\n\n" + "\n".join(_changed(changes)) + "\n"


def _changed(changes: Iterable[ledger.Change]) -> Iterator[str]:
    before: ledger.Costs = {}
    for change in changes:
        yield f"- **{change.date}.** {change.reason}{_numbers(change.costs, before)}"
        before |= change.costs


def _numbers(costs: ledger.Costs, before: ledger.Costs) -> str:
    known = [(key, cost) for key, cost in costs.items() if key in before]
    shown = [
        f"`{store}`, {_PHASES[phase]}: "
        + ", ".join(f"{before[key]:,} to {cost:,} `{key.unit}`" for key, cost in changed)
        for (store, phase), changed in groupby(known, key=lambda item: item[0][:2])
    ]
    return "".join(f"\n  - {line}" for line in shown)
