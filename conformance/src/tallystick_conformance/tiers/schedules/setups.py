"""Two clients that set up one store, with the steps of one client between any two steps of the other."""

from collections.abc import Sequence
from threading import Thread

from tallystick import Backend, Filter, NewRecord

from ...gates import Gate, Run, StepObserver, Stuck, Turn
from ...harness.case import NOW, Case, example
from .explore import seen

_WORKERS = ("a", "b")
_MOST = 40
"""At most about this many steps of a setup are tried."""


@example("SETUP-05")
def setups_interleave(case: Case) -> None:
    """Two clients can set up a store and insert, even if one overtakes the other at any of its steps."""
    steps = seen(case.target)
    whole = _set_up(case, steps, []).steps["a"]
    for n in range(1, whole, -(-whole // _MOST)):
        _set_up(case, steps, [Turn("a", n), Turn("b", None), Turn("a", None)])


def _set_up(case: Case, steps: StepObserver, schedule: Sequence[Turn]) -> Run:
    errors: list[str] = []

    def work(name: str, client: Backend) -> None:
        with gate.worker(name):
            try:
                client.setup()
                client.insert([NewRecord(kind=name)], now=NOW)
            except Exception as exc:
                errors.append(repr(exc))

    case.raw.teardown()
    with Gate(steps, case.target, case.namespace, _WORKERS) as gate:
        clients = {name: gate.client(name) for name in _WORKERS}
        threads = [Thread(target=work, args=pair, daemon=True) for pair in clients.items()]
        for thread in threads:
            thread.start()
        try:
            run = gate.run(schedule)
        except Stuck as stuck:
            case.that(False, "setups that end", str(stuck))
            raise
        for thread in threads:
            thread.join()
        for client in clients.values():
            client.close()
    case.equal([], errors)
    turns = ", ".join(f"{turn.worker} {'to its end' if turn.steps is None else turn.steps}" for turn in schedule)
    kinds = sorted(record.kind for record in case.raw.list(Filter(), limit=9))
    case.that(kinds == [*_WORKERS], f"the jobs of both, after the turns {turns or 'one after the other'}", kinds)
    return run
