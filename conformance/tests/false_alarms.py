"""Run 10,000 rounds of concurrent clients on backends that are right, and count what the history checker says of them.

In every second round the clients are held at random before their steps.

    python conformance/tests/false_alarms.py [rounds]

It prints the number of findings and the time taken, and exits with 1 if there is one finding.
"""

import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from time import perf_counter
from types import ModuleType

from windlass_conformance import Target
from windlass_conformance.gates import steps_seen
from windlass_conformance.history import run_rounds

_SHARES = {"memory": 0.5, "nasty": 0.4, "sqlite": 0.1}
"""Of the rounds; one on a disk takes about ten times as long as one in memory."""


def _nasty() -> ModuleType:
    spec = spec_from_file_location("nasty", Path(__file__).with_name("test_nasty.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _findings(name: str, target: Target, rounds: int) -> int:
    started, found, steps = perf_counter(), 0, steps_seen(target)
    shapes = [(2, 8, 0.3), (3, 6, 0.4), (5, 5, 0.3)]
    for clients, operations, share in shapes:
        told = run_rounds(
            target, clients=clients, operations=operations, rounds=int(rounds * share), seed=clients, steps=steps
        )
        for history, findings in told:
            found += len(findings)
            for finding in findings:
                print(f"{name}: {finding.rule} {finding.text}, in a history of {len(history)} operations")
    print(f"{name}: {found} findings in {rounds:,} rounds, {perf_counter() - started:.1f} s")
    return found


def main() -> int:
    """Run the rounds on each backend."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        targets = {
            "memory": Target.of("memory://"),
            "nasty": Target.from_class(_nasty().Nasty, "memory://"),
            "sqlite": Target.of(f"sqlite:///{folder}/rounds.db"),
        }
        found = sum(_findings(name, target, int(rounds * _SHARES[name])) for name, target in targets.items())
    print(f"{found} findings in all")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
