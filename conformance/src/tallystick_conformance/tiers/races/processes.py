"""Races between processes on one store, where `multi_process` is declared."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from tallystick import Claim, Complete, Failure, Filter, NewRecord, Outcome, Retry, State

from ...harness.case import LEASE, NOW, Case, example
from ...harness.children import PATIENCE, Child, ChildResult, require_sendable, run_in_forks, run_in_processes

_PROCESSES = 3
_JOBS = 60
_KEYS = 10


@example("RACE-10")
def spawned_processes_race(case: Case) -> None:
    """Three new interpreters that race for the same jobs and unique keys get each claim and each key once."""
    require_sendable(case)
    _race(case, run_in_processes)


@example("SETUP-11")
def processes_share_a_store(case: Case) -> None:
    """Two processes that have the store open see each other's jobs, claims and pauses."""
    require_sendable(case)
    case.insert(*(NewRecord(kind=kind, queue=kind) for kind in ("claimed", "open", "paused")))
    claimed = case.only(case.claim(queues=["claimed"]))
    case.backend.pause("paused")
    [result] = run_in_processes(case, _see_and_change)
    case.equal("", result.error)
    case.equal(([("claimed", False), ("open", False), ("paused", True)], ["open"]), result.value)
    case.equal(["open"], [queue.name for queue in case.backend.queues() if queue.paused])
    case.insert(NewRecord(kind="k", queue="open"))
    case.equal(["paused"], [record.queue for record in case.claim(queues=["open", "paused"])])
    case.equal([True], list(case.backend.settle([Complete(claimed.claim)], now=NOW)))


def _see_and_change(child: Child) -> tuple[list[tuple[str, bool]], list[str]]:
    """Claim from each queue, resume the paused queue and pause the open one."""
    names = ["claimed", "open", "paused"]
    with child.open() as backend:
        queues = [(queue.name, queue.paused) for queue in backend.queues()]
        claimed = backend.claim(names, limit=9, worker="other", lease=LEASE, now=NOW)
        backend.resume("paused")
        backend.pause("open")
        return queues, [record.queue for record in claimed]


@example("RACE-11")
def forked_processes_race(case: Case) -> None:
    """Three forks of this process, which has a client open, get each claim and each key once."""
    _race(case, run_in_forks)


def _race(case: Case, processes: Callable[[Case, Callable[[Child], "_Done"], int], list[ChildResult]]) -> None:
    case.raw.insert([NewRecord(kind="k") for _ in range(_JOBS)], now=NOW)
    results = processes(case, _work, _PROCESSES)
    case.equal([""] * _PROCESSES, [result.error for result in results])
    _require_exclusive(case, [result.value for result in results])


def _require_exclusive(case: Case, work: list["_Done"]) -> None:
    times_claimed = Counter(claim for done in work for claim in done.claims)
    twice = [Claim(*claim) for claim, times in times_claimed.items() if times > 1]
    case.equal([], twice)
    case.equal(0, sum(done.rejected for done in work))
    case.equal({f"key {n}": 1 for n in range(_KEYS)}, dict(Counter(key for done in work for key in done.keys)))
    records = case.raw.list(Filter(kinds=["k"]), limit=_JOBS + 1)
    case.equal(_JOBS, len(records))
    case.equal({(State.COMPLETED, 2): _JOBS}, dict(Counter((record.state, record.attempt) for record in records)))


class _Done(NamedTuple):
    """The work of a process: its claims, the number of its rejected outcomes, and the unique keys that it took."""

    claims: list[Claim]
    rejected: int
    keys: list[str | None]


def _work(child: Child) -> _Done:
    claims: list[Claim] = []
    rejected, keys = 0, []
    with child.open() as backend:
        child.barrier.wait(PATIENCE)
        for n in range(_KEYS):
            new = NewRecord(kind="unique", queue="unique", unique_key=f"key {n}")
            keys += [new.unique_key] * backend.insert([new], now=NOW)[0].created
        while records := backend.claim(["default"], limit=4, worker="w", lease=LEASE, now=NOW):
            claims += [record.claim for record in records]
            outcomes = [_end(record.claim) for record in records]
            rejected += list(backend.settle(outcomes, now=NOW)).count(False)
    return _Done(claims, rejected, keys)


def _end(claim: Claim) -> Outcome:
    return Retry(claim, NOW, Failure("E", "m")) if claim.attempt == 1 else Complete(claim)
