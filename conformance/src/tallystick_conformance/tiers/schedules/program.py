"""Small programs for a few workers: plain values that can be run on any store, in any interleaving."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from tallystick import (
    Cancel,
    Changes,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    NewRecord,
    Outcome,
    ProgressReport,
    Release,
    Retry,
)

from ...contract.eligibility import FINAL
from ...harness.case import LEASE, NOW

IDS = tuple(UUID(int=n << 120 | n) for n in (1, 2, 3))
"""The ids of a program's jobs, by slot."""

LATER = NOW + LEASE
"""The time at which the leases of `claim` at `NOW` expire."""

SECOND = timedelta(seconds=1)
ERROR = Failure("Error", "failed")
QUEUE = "default"
MANY = 9


class Call(NamedTuple):
    """One call of a backend."""

    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


Calls = tuple[Call, ...]


class Program(NamedTuple):
    """The calls that one client makes first, alone, and then the calls of each worker."""

    before: Calls
    workers: Mapping[str, Calls]

    @property
    def new(self) -> dict[UUID, NewRecord]:
        """Each job that the program inserts, by its id."""
        calls = [*self.before, *(call for calls in self.workers.values() for call in calls)]
        return {new.id: new for call in calls if call.method == "insert" for new in call.args[0]}


def call(method: str, *args: Any, **kwargs: Any) -> Call:
    """Build a call."""
    return Call(method, args, kwargs)


def insert(*slots: int, at: timedelta = timedelta(0), **fields: Any) -> Call:
    """Build an insert of the jobs of some slots, all with the same fields."""
    return call("insert", [NewRecord(kind="k", id=IDS[slot], **fields) for slot in slots], now=NOW + at)


def claim(limit: int = MANY, *more: str, worker: str = "w", at: timedelta = timedelta(0)) -> Call:
    """Build a claim from the program's queue, and from `more` queues."""
    return call("claim", [QUEUE, *more], limit=limit, worker=worker, lease=LEASE, now=NOW + at)


def settle(*outcomes: Outcome, at: timedelta = LEASE) -> Call:
    """Build a settle, by default at the time when the leases have expired."""
    return call("settle", list(outcomes), now=NOW + at)


def complete(slot: int = 0, attempt: int = 1) -> Outcome:
    """Build the outcome Complete of a slot's attempt."""
    return Complete(_claim(slot, attempt), b"done")


def retry(slot: int = 0, attempt: int = 1) -> Outcome:
    """Build the outcome Retry of a slot's attempt, due at once."""
    return Retry(_claim(slot, attempt), timedelta(0), ERROR)


def discard(slot: int = 0, attempt: int = 1) -> Outcome:
    """Build the outcome Discard of a slot's attempt."""
    return Discard(_claim(slot, attempt), ERROR)


def release(slot: int = 0, attempt: int = 1) -> Outcome:
    """Build the outcome Release of a slot's attempt."""
    return Release(_claim(slot, attempt))


def give_up(slot: int = 0, attempt: int = 1) -> Outcome:
    """Build the outcome Cancel of a slot's attempt."""
    return Cancel(_claim(slot, attempt))


def extend(slot: int = 0, attempt: int = 1, *, at: timedelta = LEASE) -> Call:
    """Build an extend of a slot's attempt."""
    return call("extend", [_claim(slot, attempt)], lease=LEASE, now=NOW + at)


def report(slot: int = 0, attempt: int = 1, *, at: timedelta = LEASE) -> Call:
    """Build a report of the progress of a slot's attempt."""
    return call("report_progress", [ProgressReport(_claim(slot, attempt), 0.5, "half")], now=NOW + at)


def rescue(limit: int = MANY, *, at: timedelta = LEASE) -> Call:
    """Build a rescue, by default at the time when the leases have expired."""
    return call("rescue", limit=limit, now=NOW + at)


def cancel(*slots: int, at: timedelta = SECOND) -> Call:
    """Build a cancel of the jobs of some slots."""
    return call("cancel", _filter(slots), limit=MANY, now=NOW + at)


def requeue(*slots: int, at: timedelta = LEASE + SECOND) -> Call:
    """Build a requeue of the jobs of some slots."""
    return call("requeue", _filter(slots), limit=MANY, now=NOW + at)


def update(*slots: int, at: timedelta = SECOND, **values: Any) -> Call:
    """Build an update of the jobs of some slots."""
    return call("update", _filter(slots), Changes(**values), limit=MANY, now=NOW + at)


def delete(*slots: int) -> Call:
    """Build a delete of the jobs of some slots."""
    return call("delete", _filter(slots), limit=MANY)


def purge(at: timedelta = 2 * LEASE) -> Call:
    """Build a purge of the jobs that finished before a time."""
    return call("purge", sorted(FINAL), before=NOW + at, limit=MANY)


def pause() -> Call:
    """Build a pause of the queue."""
    return call("pause", QUEUE)


def resume() -> Call:
    """Build a resume of the queue."""
    return call("resume", QUEUE)


def _claim(slot: int, attempt: int) -> Claim:
    return Claim(IDS[slot], attempt)


def _filter(slots: Iterable[int]) -> Filter:
    return Filter(ids=[IDS[slot] for slot in slots])
