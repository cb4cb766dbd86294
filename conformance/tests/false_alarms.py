"""Run 10,000 rounds of concurrent clients on correct backends, and count the findings of the history checker.

In every second round, the clients are delayed at random before their steps.

    PYTHONPATH=tests python conformance/tests/false_alarms.py [rounds]

It prints the number of findings and the time taken, and exits with 1 if there is any finding.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from time import perf_counter
from types import ModuleType

from servers import mongo_server, postgres_server
from tallystick_conformance import Target
from tallystick_conformance.gates import steps_seen
from tallystick_conformance.tiers.histories.rounds import run_rounds

_SHARES = {"memory": 0.45, "nasty": 0.35, "sqlite": 0.1, "postgres": 0.09, "mongo": 0.01}
"""Each backend's share of the rounds; a round on a disk or a server takes at least ten times as long as in memory."""


def _nasty() -> ModuleType:
    spec = spec_from_file_location("nasty", Path(__file__).with_name("test_nasty.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _targets(stack: ExitStack) -> Iterator[tuple[str, Target]]:
    yield "memory", Target.of("memory://")
    yield "nasty", Target.from_class(_nasty().Nasty, "memory://")
    yield "sqlite", Target.of(f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/rounds.db")
    yield "postgres", Target.of(stack.enter_context(postgres_server(durable=False)).url)
    yield "mongo", Target.of(stack.enter_context(mongo_server()).url)


def _findings(name: str, target: Target, rounds: int) -> int:
    started, found, steps = perf_counter(), 0, steps_seen(target)
    shapes = [(2, 8, 0.3), (3, 6, 0.4), (5, 5, 0.3)]
    for clients, operations, share in shapes:
        rounds_run = run_rounds(
            target, clients=clients, operations=operations, rounds=int(rounds * share), seed=clients, steps=steps
        )
        for history, findings in rounds_run:
            found += len(findings)
            for finding in findings:
                print(f"{name}: {finding.rule} {finding.text}, in a history of {len(history)} operations")
    print(f"{name}: {found} findings in {rounds:,} rounds, {perf_counter() - started:.1f} s", flush=True)
    return found


def main() -> int:
    """Run the rounds on each backend."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with ExitStack() as stack:
        found = sum(_findings(name, target, int(rounds * _SHARES[name])) for name, target in _targets(stack))
    print(f"{found} findings in all")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
