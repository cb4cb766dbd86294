"""Merge reports of `tallystick conform mutants --json FILE` into `docs/kill.json`: `python docs/kills.py FILE...`.

A report may cover a few mutants; the others keep their entries. Entries of removed mutants are deleted.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tallystick_mutants import MUTANTS

KILLS = Path(__file__).with_name("kill.json")
"""One line for each mutant. `quick` and `standard` name the clause that killed it, or its fate."""

Entry = dict[str, str]


def read() -> dict[str, Entry]:
    """Return the entry of each mutant by its name."""
    return {entry["name"]: entry for entry in json.loads(KILLS.read_text("utf-8"))}


def merged(entries: dict[str, Entry], run: dict[str, Any]) -> dict[str, Entry]:
    """Return the entries, updated with the results of a run."""
    found = {
        one["name"]: {
            **{key: one[key] for key in ("name", "module", "backend", "clause")},
            **{profile: entries.get(one["name"], {}).get(profile, "not run") for profile in ("quick", "standard")},
            run["profile"]: ", ".join(one["by"]) if one["killed"] else one["fate"],
        }
        for one in run["mutants"]
    }
    return entries | found


def main(paths: list[str]) -> None:
    """Merge the reports at these paths, and write the entries in the order of the mutants."""
    entries = read()
    for path in paths:
        entries = merged(entries, json.loads(Path(path).read_text("utf-8")))
    lines = [json.dumps(entries[mutant.name]) for mutant in MUTANTS if mutant.name in entries]
    KILLS.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
