"""Races of whole processes on one store, where `multi_process` is declared."""

import multiprocessing
import pickle
import warnings
from collections import Counter
from typing import Any

from windlass import Claim, Complete, Failure, Filter, NewRecord, Outcome, Retry, State

from .case import LEASE, NOW, Case, NotRun, example
from .target import MakeBackend

_PROCESSES = 3
_JOBS = 60
_KEYS = 10


@example("RACE-10")
def spawned_processes_race(case: Case) -> None:
    """Three new interpreters claim, retry and complete the same jobs, and insert with the same unique keys."""
    try:
        pickle.dumps(case.target.make)
    except Exception as exc:
        raise NotRun(f"make_backend cannot be sent to another process: {exc}") from exc
    _race(case, multiprocessing.get_context("spawn"))


@example("RACE-11")
def forked_processes_race(case: Case) -> None:
    """The same with forks of this process, which has a client open that they must not disturb."""
    if "fork" not in multiprocessing.get_all_start_methods():
        raise NotRun("this platform has no fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads: that it works is the point
        _race(case, multiprocessing.get_context("fork"))


def _race(case: Case, context: Any) -> None:
    new = [NewRecord(kind="k") for _ in range(_JOBS)]
    case.raw.insert(new, now=NOW)
    barrier, answers = context.Barrier(_PROCESSES), context.SimpleQueue()
    processes = [
        context.Process(target=_work, args=(case.target.make, case.namespace, barrier, answers), daemon=True)
        for _ in range(_PROCESSES)
    ]
    for process in processes:
        process.start()
    told = []
    for process in processes:
        process.join(60)
    while not answers.empty():
        told.append(answers.get())
    case.that(len(told) == _PROCESSES, f"{_PROCESSES} processes that end well", [p.exitcode for p in processes])
    _judge(case, told)


def _judge(case: Case, told: list[Any]) -> None:
    errors = [error for _, _, _, error in told if error]
    case.equal([], errors)
    handed_out = Counter(claim for claims, _, _, _ in told for claim in claims)
    twice = [Claim(*claim) for claim, times in handed_out.items() if times > 1]
    case.equal([], twice)
    case.equal(0, sum(refused for _, refused, _, _ in told))
    case.equal({f"key {n}": 1 for n in range(_KEYS)}, dict(Counter(key for _, _, keys, _ in told for key in keys)))
    records = case.raw.list(Filter(kinds=["k"]), limit=_JOBS + 1)
    case.equal(_JOBS, len(records))
    case.equal({(State.COMPLETED, 2): _JOBS}, dict(Counter((record.state, record.attempt) for record in records)))


def _work(make: MakeBackend, namespace: str, barrier: Any, answers: Any) -> None:
    claims: list[Claim] = []
    refused, keys, error = 0, [], ""
    try:
        with make(namespace) as backend:
            barrier.wait(60)
            for n in range(_KEYS):
                new = NewRecord(kind="unique", queue="unique", unique_key=f"key {n}")
                keys += [new.unique_key] * backend.insert([new], now=NOW)[0].created
            while records := backend.claim(["default"], limit=4, worker="w", lease=LEASE, now=NOW):
                claims += [record.claim for record in records]
                outcomes = [_end(record.claim) for record in records]
                refused += list(backend.settle(outcomes, now=NOW)).count(False)
    except Exception as exc:
        error = repr(exc)
    answers.put((claims, refused, keys, error))


def _end(claim: Claim) -> Outcome:
    return Retry(claim, NOW, Failure("E", "m")) if claim.attempt == 1 else Complete(claim)
