"""Forks of a process that has the store open."""

from collections.abc import Callable
from functools import partial
from threading import Event

from tallystick import Backend, Closed, Complete, NewRecord

from ..case import LEASE, NOW, Case, example
from ..examples.stores import every_call
from ..threads import Beside
from .children import Child, Heard, forked, require_sendable

_FORKS = 6
_BATCH = 100


@example("FORK-01")
def inherited_clients_refuse(case: Case) -> None:
    """In a forked child each call raises Closed and two closes are harmless; the parent settles what it had claimed."""
    record = case.running()

    def work(child: Child) -> list[str]:
        refused = list(map(_raised, every_call(case.raw)))
        case.raw.close()
        case.raw.close()
        return refused

    [told] = forked(case, work)
    case.equal("", told.error)
    case.equal([Closed.__name__] * len(every_call(case.raw)), told.answer)
    case.equal([True], list(case.backend.settle([Complete(record.claim)], now=NOW)))


def _raised(call: Callable[[], object]) -> str:
    try:
        return f"the answer {call()!r}"
    except Exception as exc:
        return type(exc).__name__


@example("FORK-02")
def children_open_their_own(case: Case) -> None:
    """Children that are forked while threads of their parent write insert and claim, and nothing is lost."""
    require_sendable(case)
    ended = Event()
    writers = [Beside(partial(_write, client, ended)) for client in (case.raw, case.client())]
    told: list[Heard] = []
    try:
        while len(told) < _FORKS and not any(one.error for one in told):
            told += forked(case, _insert_and_claim)
    finally:
        ended.set()
        written = sum(writer.answer() for writer in writers)
    case.equal([""] * len(told), [one.error for one in told])
    case.equal([2] * _FORKS, [one.answer for one in told])
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
