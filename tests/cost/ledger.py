"""The recorded costs: `costs.toml` lists each change with its date and reason, and the latest number is in force."""

import json
import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent / "costs.toml"

TOLERANCES = {"wal_bytes": 0.01, "buffers": 0.01, "pages_written": 0.01, "instructions": 0.01}
"""How far a measured cost may be from the recorded one, as a fraction of it. All other costs must be equal."""

StoreCosts = dict[str, dict[str, int]]
"""The costs of one store: a number for each phase and unit."""


class Key(NamedTuple):
    """The name of one cost."""

    store: str
    phase: str
    unit: str


Costs = dict[Key, int]


class Change(NamedTuple):
    """Costs that changed together, and the reason."""

    date: date
    reason: str
    costs: Costs


def changes(text: str) -> list[Change]:
    """Parse the changes, oldest first."""
    return [
        Change(change["date"], change["reason"], dict(_entries(change["costs"])))
        for change in tomllib.loads(text).get("changes", [])
    ]


def _entries(stores: dict[str, StoreCosts]) -> Iterator[tuple[Key, int]]:
    for store, phases in stores.items():
        for phase, units in phases.items():
            for unit, cost in units.items():
                yield Key(store, phase, unit), cost


def in_force(listed: Iterable[Change]) -> Costs:
    """Return the latest number of each cost."""
    return {key: cost for change in listed for key, cost in change.costs.items()}


def keyed(store: str, costs: StoreCosts) -> Costs:
    """Return the measured costs of a store by key."""
    return dict(_entries({store: costs}))


def differences(measured: Costs, recorded: Costs) -> Costs:
    """Return the measured costs that are not recorded, or differ by more than their tolerance."""
    return {key: cost for key, cost in measured.items() if not _agrees(key, cost, recorded.get(key))}


def _agrees(key: Key, measured: int, recorded: int | None) -> bool:
    return recorded is not None and abs(measured - recorded) <= recorded * TOLERANCES.get(key.unit, 0)


def described(changed: Costs, recorded: Costs) -> Iterator[str]:
    """Yield a line for each changed cost."""
    for key, cost in changed.items():
        before = recorded.get(key)
        if before is None:
            yield f"{'.'.join(key)} is {cost:,} and not recorded"
        else:
            yield f"{'.'.join(key)} {'rose' if cost > before else 'fell'} from {before:,} to {cost:,}"


def entry(changed: Costs, reason: str) -> str:
    """Return the text of a change, to append to the file."""
    lines = ["[[changes]]", f"date = {datetime.now(UTC).date()}", f"reason = {json.dumps(reason, ensure_ascii=False)}"]
    table = None
    for key, cost in changed.items():
        if table != key[:2]:
            table = key[:2]
            lines += ["", f"[changes.costs.{key.store}.{key.phase}]"]
        lines.append(f"{key.unit} = {cost}")
    return "\n" + "\n".join(lines) + "\n"
