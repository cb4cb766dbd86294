"""The same call twice within milliseconds, on the store's own clock, with another client's write between.

A client that keeps an answer for a moment, to spare the store a question, is wrong for that moment.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tallystick import Backend, Complete, Filter, NewRecord, State

from ..case import LEASE, Case, example

_LONG_DUE = datetime(2001, 1, 1, tzinfo=UTC)
"""A store may round the current moment up to its precision, and the job would not be due yet."""

_TIMES = 5
"""Rounds: on a busy machine the two calls may now and then lie further apart than a mistake lasts."""


class _Look(NamedTuple):
    """What one client looks at, and what another writes in between."""

    look: Callable[[Backend, NewRecord], object]
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


_OF_NEW_JOBS = (
    _Look(_claim, _insert, [], ["k"]),
    _Look(_state, _insert, None, State.PENDING),
    _Look(lambda client, new: len(client.list(Filter(queues=[new.queue]), limit=9)), _insert, 0, 1),
    _Look(lambda client, new: client.stats().by_queue.get(new.queue, (0,))[0], _insert, 0, 1),
    _Look(lambda client, new: new.queue in [queue.name for queue in client.queues()], _insert, False, True),
    _Look(lambda client, new: len(client.cancel(Filter(queues=[new.queue]), limit=9)), _insert, 0, 1),
    _Look(lambda client, new: len(client.delete(Filter(queues=[new.queue]), limit=9)), _insert, 0, 1),
    _Look(lambda client, new: client.wait([new.queue], timeout=timedelta(0)), _insert, False, True),
)


@example("SETUP-04")
def a_client_sees_jobs_that_came_since(case: Case) -> None:
    """Each call that found nothing finds, a moment later, the job that another client has inserted."""
    other = case.client()
    for n in range(_TIMES):
        for number, look in enumerate(_OF_NEW_JOBS):
            _look_twice(case, other, look, NewRecord(kind="k", run_at=_LONG_DUE, queue=f"q{n}.{number}"))


_OF_CHANGES = (
    _Look(_state, _cancel, State.PENDING, State.CANCELLED),
    _Look(_state, lambda client, new: client.delete(Filter(ids=[new.id]), limit=1), State.PENDING, None),
    _Look(lambda client, new: client.stats().by_state[State.PENDING], _cancel, 1, 0),
    _Look(lambda client, new: len(client.list(Filter(states=[State.PENDING]), limit=9)), _cancel, 1, 0),
    _Look(lambda client, new: client.wait([new.queue], timeout=timedelta(0)), _cancel, True, False),
    _Look(_is_paused, lambda client, new: client.pause(new.queue), False, True),
    _Look(
        lambda client, new: client.wait([new.queue], timeout=timedelta(0)),
        lambda client, new: client.pause(new.queue),
        True,
        False,
    ),
)


@example("SETUP-04")
def a_client_sees_what_changed_since(case: Case) -> None:
    """Each call that saw a job, or its queue, sees a moment later what another client has made of it."""
    other = case.client()
    for n in range(_TIMES):
        for look in _OF_CHANGES:
            new = NewRecord(kind="k", run_at=_LONG_DUE, queue=f"q{n}")
            other.resume(new.queue)
            other.insert([new])
            _look_twice(case, other, look, new)


@example("CLAIM-04")
def a_pause_holds_at_once(case: Case) -> None:
    """A client that has just claimed from a queue claims nothing more from it once another client has paused it."""
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
    """A client that has just held a claim cannot settle it once another client has."""
    other = case.client()
    for n in range(_TIMES):
        other.insert([NewRecord(kind="k", run_at=_LONG_DUE, queue=f"q{n}")])
        record = case.only(list(case.backend.claim([f"q{n}"], limit=1, worker="w", lease=LEASE)))
        case.backend.extend([record.claim], lease=LEASE)
        case.equal([True], list(other.settle([Complete(record.claim)])))
        case.equal([False], list(case.backend.settle([Complete(record.claim)])))


def _look_twice(case: Case, other: Backend, look: _Look, new: NewRecord) -> None:
    case.equal(look.before, look.look(case.backend, new))
    look.write(other, new)
    case.equal(look.after, look.look(case.backend, new))
    other.resume(new.queue)
    ends = [Complete(record.claim) for record in other.list(Filter(states=[State.RUNNING]), limit=9)]
    other.settle(ends)
    other.delete(Filter(), limit=9)
