"""The cost of a claim, which must not grow with the number of stored jobs, whether the claim finds a job or not."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from time import perf_counter

from tallystick import Backend, Complete, NewRecord

from ..gates.work import Meter, metered
from ..harness.case import LEASE, NOW, Case, example

_FEW, _TIMES, _COUNTS = 100, 15, 5

_FACTOR, _SLACK = 4, 0.002
"""Upper bound for a claim among many jobs: this factor and these extra seconds. A scan takes far longer."""

_STEPS_FACTOR, _STEPS_SLACK = 2, 200
"""The same bound for steps, which do not depend on the machine's load. Larger indexes are slightly deeper."""

_TOMORROW = NOW + timedelta(days=1)
_QUEUES = {
    "default": "finished jobs, due jobs, and more urgent future jobs",
    "future": "future jobs only",
    "finished": "finished jobs only",
    "paused": "due jobs of a paused queue only",
}
"""The queues to claim from and their contents. Only claims from the first find a job."""


@example("COST-01")
def claims_cost_the_same_among_many(case: Case) -> None:
    """A claim among many jobs of each kind takes about the same time and steps as a claim among few."""
    few, batch = case.elsewhere()[0], min(case.capabilities.max_batch, 1_000)
    with case.target.make(few) as client:
        _fill(client, _FEW, batch)
        _fill(case.raw, case.profile.backlog, batch)
        for queue, jobs in _QUEUES.items():
            _compare_times(case, client, queue, jobs)
    with metered(case.target, few) as of_few:
        steps = _steps(of_few)
    with metered(case.target, case.namespace) as of_many:
        _compare_steps(case, steps, _steps(of_many))


def _compare_times(case: Case, few: Backend, queue: str, jobs: str) -> None:
    seconds = [
        (_seconds(few, queue), _seconds(case.raw, queue)) for _ in range(_TIMES)
    ]  # alternates, so that load slows both
    fast, slow = (min(each) for each in zip(*seconds, strict=True))
    case.that(
        slow <= fast * _FACTOR + _SLACK,
        f"a claim in about {fast * 1_000:.1f} ms, as among {_FEW} jobs of each kind",
        f"{slow * 1_000:.1f} ms among {case.profile.backlog:,}: {jobs}",
    )


def _compare_steps(case: Case, few: dict[str, int], many: dict[str, int]) -> None:
    for queue, steps in few.items():
        case.that(
            many[queue] <= steps * _STEPS_FACTOR + _STEPS_SLACK,
            f"a claim in about {steps} steps, as among {_FEW} jobs of each kind",
            f"{many[queue]} steps among {case.profile.backlog:,}: {_QUEUES[queue]}",
        )


def _steps(meter: Meter | None) -> dict[str, int]:
    """Return the minimum steps of several claims from each queue, or an empty dict if the kit sees no steps."""
    if meter is None:
        return {}
    claims: dict[str, Callable[[], object]] = {queue: partial(_claim, meter.client, queue) for queue in _QUEUES}
    return {queue: min(meter.count(claim) for _ in range(_COUNTS)) for queue, claim in claims.items()}


def _fill(store: Backend, count: int, batch: int) -> None:
    for size in (min(batch, count - done) for done in range(0, count, batch)):
        for queue in ("default", "finished"):
            store.insert([NewRecord(kind="finished", queue=queue) for _ in range(size)], now=NOW - LEASE)
            claimed = store.claim([queue], limit=size, worker="w", lease=LEASE, now=NOW - LEASE)
            store.settle([Complete(record.claim) for record in claimed], now=NOW - LEASE)
    for size in (min(batch, count - done) for done in range(0, count, batch)):
        store.insert([NewRecord(kind="due") for _ in range(size)], now=NOW)
        store.insert([NewRecord(kind="due", queue="paused", priority=1) for _ in range(size)], now=NOW)
        for queue in ("default", "future"):
            new = [NewRecord(kind="future", queue=queue, priority=1, run_at=_TOMORROW) for _ in range(size)]
            store.insert(new, now=NOW)
    store.pause("paused")


def _seconds(store: Backend, queue: str) -> float:
    started = perf_counter()
    _claim(store, queue)
    return perf_counter() - started


def _claim(store: Backend, queue: str) -> None:
    store.claim([queue], limit=1, worker="w", lease=LEASE, now=NOW)
