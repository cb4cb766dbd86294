"""Clients of one store see each other's writes.

A client that caches a result, even briefly, fails these examples.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from tallystick import Backend, Complete, Filter, NewRecord, ProgressReport, State

from ..contract.model import bare
from ..harness.case import LEASE, NOW, Case, example
from .common import LONG_DUE, REREADS, claim_kinds
from .registered import fill_registers


class _Reread(NamedTuple):
    """A call by one client, a write by another, and the call's results before and after that write."""

    read: Callable[[Backend, NewRecord], object]
    write: Callable[[Backend, NewRecord], object]
    before: object
    after: object


def _insert(client: Backend, new: NewRecord) -> object:
    return client.insert([new])


def _state(client: Backend, new: NewRecord) -> State | None:
    found = client.get([new.id])
    return found[new.id].state if found else None


def _cancel(client: Backend, new: NewRecord) -> object:
    return client.cancel(Filter(ids=[new.id]), limit=1)


def _is_paused(client: Backend, new: NewRecord) -> bool:
    return any(queue.paused for queue in client.queues() if queue.name == new.queue)


_AFTER_AN_INSERT = (
    _Reread(claim_kinds, _insert, [], ["k"]),
    _Reread(_state, _insert, None, State.PENDING),
    _Reread(lambda client, new: len(client.list(Filter(queues=[new.queue]), limit=9)), _insert, 0, 1),
    _Reread(lambda client, new: client.stats().by_queue.get(new.queue, (0,))[0], _insert, 0, 1),
    _Reread(lambda client, new: new.queue in [queue.name for queue in client.queues()], _insert, False, True),
    _Reread(lambda client, new: len(client.cancel(Filter(queues=[new.queue]), limit=9)), _insert, 0, 1),
    _Reread(lambda client, new: len(client.delete(Filter(queues=[new.queue]), limit=9)), _insert, 0, 1),
    _Reread(lambda client, new: client.wait([new.queue], timeout=timedelta(0)), _insert, False, True),
)


@example("SETUP-04")
def no_client_reads_old_state(case: Case) -> None:
    """After each change by one client, another client reads the new state by get, list, stats and queues."""
    other = case.client()
    record = case.insert(NewRecord(kind="k"))[0]
    steps = (
        case.claim,
        lambda: case.backend.extend([case.stored(record).claim], lease=2 * LEASE, now=NOW),
        lambda: case.backend.report_progress([ProgressReport(case.stored(record).claim, 0.5)], now=NOW),
        lambda: case.backend.cancel(Filter(), limit=1, now=NOW),
        lambda: case.backend.rescue(limit=1, now=NOW + 2 * LEASE),
        lambda: case.backend.requeue(Filter(), limit=1, now=NOW),
        lambda: case.backend.pause("default"),
        lambda: case.backend.resume("default"),
        case.claim,
        lambda: case.backend.settle([Complete(case.stored(record).claim, b"x")], now=NOW),
    )
    fill_registers(case.backend)
    case.equal(case.contents(), case.contents(other))
    case.backend.delete(Filter(queues=["ticked"]), limit=1)
    for step in steps:
        other.get([record.id])
        step()
        mine = (case.stored(record), case.backend.stats(now=NOW), list(case.backend.queues()))
        case.equal(mine, (other.get([record.id])[record.id], other.stats(now=NOW), list(other.queues())))
        case.equal([bare(mine[0])], list(other.list(Filter(), limit=9)))
    case.backend.delete(Filter(), limit=1)
    case.equal({}, other.get([record.id]))


@example("SETUP-04")
def a_client_sees_a_new_job(case: Case) -> None:
    """A call that found nothing finds the job that another client inserts a moment later."""
    other = case.client()
    for n in range(REREADS):
        for number, reread in enumerate(_AFTER_AN_INSERT):
            _read_twice(case, other, reread, NewRecord(kind="k", run_at=LONG_DUE, queue=f"q{n}.{number}"))


_AFTER_A_CHANGE = (
    _Reread(_state, _cancel, State.PENDING, State.CANCELLED),
    _Reread(_state, lambda client, new: client.delete(Filter(ids=[new.id]), limit=1), State.PENDING, None),
    _Reread(lambda client, new: client.stats().by_state[State.PENDING], _cancel, 1, 0),
    _Reread(lambda client, new: len(client.list(Filter(states=[State.PENDING]), limit=9)), _cancel, 1, 0),
    _Reread(lambda client, new: client.wait([new.queue], timeout=timedelta(0)), _cancel, True, False),
    _Reread(_is_paused, lambda client, new: client.pause(new.queue), False, True),
    _Reread(
        lambda client, new: client.wait([new.queue], timeout=timedelta(0)),
        lambda client, new: client.pause(new.queue),
        True,
        False,
    ),
)


@example("SETUP-04")
def a_client_sees_a_change(case: Case) -> None:
    """A call that found a job or queue returns its new state a moment later, after another client changed it."""
    other = case.client()
    for n in range(REREADS):
        for reread in _AFTER_A_CHANGE:
            new = NewRecord(kind="k", run_at=LONG_DUE, queue=f"q{n}")
            other.resume(new.queue)
            other.insert([new])
            _read_twice(case, other, reread, new)


def _read_twice(case: Case, other: Backend, reread: _Reread, new: NewRecord) -> None:
    case.equal(reread.before, reread.read(case.backend, new))
    reread.write(other, new)
    case.equal(reread.after, reread.read(case.backend, new))
    other.resume(new.queue)
    ends = [Complete(record.claim) for record in other.list(Filter(states=[State.RUNNING]), limit=9)]
    other.settle(ends)
    other.delete(Filter(), limit=9)


@example("SETUP-04")
def clients_share_a_store(case: Case) -> None:
    """Each client sees at once what another client inserts, pauses, claims and settles."""
    other = case.client()
    record = case.insert(NewRecord(kind="k", unique_key="key"))[0]
    case.equal({record.id: record}, other.get([record.id]))
    case.backend.pause("default")
    case.equal(0, len(other.claim(["default"], limit=9, worker="o", lease=LEASE, now=NOW)))
    other.resume("default")
    claimed = case.only(case.claim())
    case.equal([True], list(other.settle([Complete(claimed.claim, b"done")], now=NOW)))
    case.equal(State.COMPLETED, case.stored(record).state)
    case.equal([False], list(case.backend.settle([Complete(claimed.claim)], now=NOW)))
