"""Forks of a process that has a client open."""

from collections.abc import Callable
from functools import partial
from threading import Event

from tallystick import Backend, Closed, Complete, NewRecord

from ...examples.close import every_call
from ...harness.case import LEASE, NOW, Case, example
from ...harness.children import Child, ChildResult, require_sendable, run_in_forks
from ...harness.threads import Beside

_FORKS = 6
_BATCH = 100


@example("FORK-01")
def inherited_clients_raise_closed(case: Case) -> None:
    """In a forked child, each call of an inherited client raises Closed, and its close does not affect the parent."""
    record = case.running()

    def work(child: Child) -> list[str]:
        raised = list(map(_raised, every_call(case.raw)))
        case.raw.close()
        case.raw.close()
        return raised

    [result] = run_in_forks(case, work)
    case.equal("", result.error)
    case.equal([Closed.__name__] * len(every_call(case.raw)), result.value)
    case.equal([True], list(case.backend.settle([Complete(record.claim)], now=NOW)))


def _raised(call: Callable[[], object]) -> str:
    try:
        return f"returned {call()!r}"
    except Exception as exc:
        return type(exc).__name__


@example("FORK-02")
def children_open_their_own(case: Case) -> None:
    """Forked children can open clients, insert and claim while threads of their parent write. No job is lost."""
    require_sendable(case)
    ended = Event()
    writers = [Beside(partial(_write, client, ended)) for client in (case.raw, case.client())]
    results: list[ChildResult] = []
    try:
        while len(results) < _FORKS and not any(result.error for result in results):
            results += run_in_forks(case, _insert_and_claim)
    finally:
        ended.set()
        written = sum(writer.answer() for writer in writers)
    case.equal([""] * len(results), [result.error for result in results])
    case.equal([2] * _FORKS, [result.value for result in results])
    case.equal({"parent": written, "child": 2 * _FORKS}, case.raw.stats(now=NOW).by_kind)


def _write(client: Backend, ended: Event) -> int:
    written = 0
    while not ended.is_set():
        written += len(client.insert([NewRecord(kind="parent") for _ in range(_BATCH)], now=NOW))
    return written


def _insert_and_claim(child: Child) -> int:
    with child.open() as backend:
        backend.insert([NewRecord(kind="child", queue="child") for _ in range(2)], now=NOW)
        return len(backend.claim(["child"], limit=9, worker="child", lease=LEASE, now=NOW))
