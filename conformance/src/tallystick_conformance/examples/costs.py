"""What a claim costs: no more in a store of many jobs than in one of few."""

from datetime import timedelta
from time import perf_counter

from tallystick import Backend, Complete, NewRecord

from ..case import LEASE, NOW, Case, example

_FEW, _TIMES = 100, 15
_FACTOR, _SLACK = 4, 0.002
"""How many times as long a claim may take among many jobs, and how many seconds more: far less than a scan takes."""

_TOMORROW = NOW + timedelta(days=1)


@example("COST-01")
def claims_cost_the_same_among_many(case: Case) -> None:
    """Among finished jobs, due ones, and more urgent ones of the future and of other queues, a claim is as fast."""
    few, many = case.elsewhere()[1], case.raw
    batch = min(case.capabilities.max_batch, 1_000)
    _fill(few, _FEW, batch)
    _fill(many, case.profile.backlog, batch)
    seconds = [(_claim(few), _claim(many)) for _ in range(_TIMES)]  # in turns, so that a busy machine slows both
    fast, slow = (min(each) for each in zip(*seconds, strict=True))
    case.that(
        slow <= fast * _FACTOR + _SLACK,
        f"a claim in about the {fast * 1_000:.1f} ms that it takes among {_FEW} jobs of each kind",
        f"{slow * 1_000:.1f} ms among {case.profile.backlog:,}",
    )


def _fill(store: Backend, count: int, batch: int) -> None:
    for size in (min(batch, count - done) for done in range(0, count, batch)):
        store.insert([NewRecord(kind="finished") for _ in range(size)], now=NOW - LEASE)
        claimed = store.claim(["default"], limit=size, worker="w", lease=LEASE, now=NOW - LEASE)
        store.settle([Complete(record.claim) for record in claimed], now=NOW - LEASE)
    for size in (min(batch, count - done) for done in range(0, count, batch)):
        store.insert([NewRecord(kind="due") for _ in range(size)], now=NOW)
        store.insert([NewRecord(kind="other", queue="other", priority=1) for _ in range(size)], now=NOW)
        store.insert([NewRecord(kind="future", priority=1, run_at=_TOMORROW) for _ in range(size)], now=NOW)


def _claim(store: Backend) -> float:
    started = perf_counter()
    store.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)
    return perf_counter() - started
