"""The same call twice within milliseconds on the store's clock, with another client's write in between.

A client that caches a result, even briefly, fails these examples.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tallystick import Backend, Complete, Filter, NewRecord, State

from ..harness.case import LEASE, Case, example

_LONG_DUE = datetime(2001, 1, 1, tzinfo=UTC)
"""A run_at that is due even if the store rounds times up to its precision."""

_TIMES = 5
"""Rounds. On a busy machine, the two calls of one round may be further apart than a cache lasts."""


class _Reread(NamedTuple):
    """A call by one client, a write by another, and the call's results before and after that write."""

    read: Callable[[Backend, NewRecord], object]
    write: Callable[[Backend, NewRecord], object]
    before: object
    after: object


def _claim(client: Backend, new: NewRecord) -> list[str]:
    claimed = client.claim([new.queue], limit=1, worker="w", lease=LEASE)
    return [record.kind for record in claimed]


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
    _Reread(_claim, _insert, [], ["k"]),
    _Reread(_state, _insert, None, State.PENDING),
    _Reread(lambda client, new: len(client.list(Filter(queues=[new.queue]), limit=9)), _insert, 0, 1),
    _Reread(lambda client, new: client.stats().by_queue.get(new.queue, (0,))[0], _insert, 0, 1),
    _Reread(lambda client, new: new.queue in [queue.name for queue in client.queues()], _insert, False, True),
    _Reread(lambda client, new: len(client.cancel(Filter(queues=[new.queue]), limit=9)), _insert, 0, 1),
    _Reread(lambda client, new: len(client.delete(Filter(queues=[new.queue]), limit=9)), _insert, 0, 1),
    _Reread(lambda client, new: client.wait([new.queue], timeout=timedelta(0)), _insert, False, True),
)


@example("SETUP-04")
def a_client_sees_a_new_job(case: Case) -> None:
    """A call that found nothing finds the job that another client inserts a moment later."""
    other = case.client()
    for n in range(_TIMES):
        for number, reread in enumerate(_AFTER_AN_INSERT):
            _read_twice(case, other, reread, NewRecord(kind="k", run_at=_LONG_DUE, queue=f"q{n}.{number}"))


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
    for n in range(_TIMES):
        for reread in _AFTER_A_CHANGE:
            new = NewRecord(kind="k", run_at=_LONG_DUE, queue=f"q{n}")
            other.resume(new.queue)
            other.insert([new])
            _read_twice(case, other, reread, new)


@example("CLAIM-04")
def a_pause_holds_at_once(case: Case) -> None:
    """A client cannot claim from a queue that another client has paused, even right after a claim of its own."""
    other = case.client()
    for n in range(_TIMES):
        new = [NewRecord(kind="k", run_at=_LONG_DUE, queue=f"q{n}") for _ in range(2)]
        other.insert(new)
        case.equal(["k"], _claim(case.backend, new[0]))
        other.pause(f"q{n}")
        case.equal([], _claim(case.backend, new[0]))
        other.resume(f"q{n}")
        case.equal(["k"], _claim(case.backend, new[0]))


@example("SETTLE-06")
def an_end_holds_at_once(case: Case) -> None:
    """A client cannot settle a claim that another client has settled, even right after it extended the claim."""
    other = case.client()
    for n in range(_TIMES):
        other.insert([NewRecord(kind="k", run_at=_LONG_DUE, queue=f"q{n}")])
        record = case.only(list(case.backend.claim([f"q{n}"], limit=1, worker="w", lease=LEASE)))
        case.backend.extend([record.claim], lease=LEASE)
        case.equal([True], list(other.settle([Complete(record.claim)])))
        case.equal([False], list(case.backend.settle([Complete(record.claim)])))


def _read_twice(case: Case, other: Backend, reread: _Reread, new: NewRecord) -> None:
    case.equal(reread.before, reread.read(case.backend, new))
    reread.write(other, new)
    case.equal(reread.after, reread.read(case.backend, new))
    other.resume(new.queue)
    ends = [Complete(record.claim) for record in other.list(Filter(states=[State.RUNNING]), limit=9)]
    other.settle(ends)
    other.delete(Filter(), limit=9)
