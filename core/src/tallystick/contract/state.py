"""The states of a job, and every transition between them.

The conformance kit checks that a backend makes no other transition. The page of states is generated from `TRANSITIONS`.
"""

from enum import StrEnum
from typing import NamedTuple

from ..errors import InvalidArgument


class State(StrEnum):
    """The state of a job."""

    PENDING = "pending"
    RUNNING = "running"
    RETRYING = "retrying"
    COMPLETED = "completed"
    DISCARDED = "discarded"
    CANCELLED = "cancelled"


class Transition(NamedTuple):
    """A transition from one state to another: the call `by` it, its condition `when`, and the fields that it `sets`."""

    source: State | None
    by: str
    target: State | None
    when: str = ""
    sets: str = ""


class TransitionTable(tuple[Transition, ...]):
    """All transitions. Its methods derive facts from them, e.g. `TRANSITIONS.sources("requeue")`."""

    __slots__ = ()

    def sources(self, by: str) -> frozenset[State]:
        """Return the states that a call changes, e.g. those of the jobs that a requeue may select."""
        return frozenset(way.source for way in self._ways(by) if way.source is not None)

    def targets(self, by: str) -> frozenset[State]:
        """Return the states that a call leads to, e.g. those of a job after `"settle Retry"`."""
        return frozenset(way.target for way in self._ways(by) if way.target is not None)

    def _ways(self, by: str) -> list[Transition]:
        ways = [way for way in self if way.by == by]
        if not ways:
            known = ", ".join(dict.fromkeys(way.by for way in self))
            raise InvalidArgument(f"no transition is made by {by!r}; the calls are: {known}")
        return ways


_CLAIM = "attempt + 1, lease_until, worker, attempted_at; progress cleared"
_ENDED = "finished_at; lease_until cleared"
_FAILED = "last_error, errors"
_FLAGGED = "cancellation was requested"
_MET = "it holds the unique key, and has the kind"
_REPLACED = "payload, tags, meta"
_CHANGED = "run_at, priority or queue"
_REQUEUED = (
    "run_at = now; max_attempts raised to attempt + 1 at least; finished_at, result and cancel_requested cleared"
)

_FINISHED = (State.COMPLETED, State.DISCARDED, State.CANCELLED)

TRANSITIONS = TransitionTable(
    (
        Transition(None, "insert", State.PENDING, sets="run_at, created_at"),
        Transition(State.PENDING, "insert replace", State.PENDING, _MET, _REPLACED),
        Transition(State.RETRYING, "insert replace", State.RETRYING, _MET, _REPLACED),
        Transition(State.PENDING, "insert debounce", State.PENDING, _MET, f"run_at, {_REPLACED}"),
        Transition(State.RETRYING, "insert debounce", State.RETRYING, _MET, f"run_at, {_REPLACED}"),
        Transition(State.PENDING, "claim", State.RUNNING, "due, its queue not paused", _CLAIM),
        Transition(State.RETRYING, "claim", State.RUNNING, "due, its queue not paused", _CLAIM),
        Transition(State.RUNNING, "settle Complete", State.COMPLETED, sets=f"result, {_ENDED}"),
        Transition(State.RUNNING, "settle Retry", State.RETRYING, sets=f"run_at, {_FAILED}; lease_until cleared"),
        Transition(State.RUNNING, "settle Retry", State.CANCELLED, _FLAGGED, f"{_FAILED}, {_ENDED}"),
        Transition(State.RUNNING, "settle Discard", State.DISCARDED, sets=f"{_FAILED}, {_ENDED}"),
        Transition(
            State.RUNNING, "settle Release", State.PENDING, sets="run_at, max_attempts + 1; lease_until cleared"
        ),
        Transition(State.RUNNING, "settle Release", State.CANCELLED, _FLAGGED, f"max_attempts + 1, {_ENDED}"),
        Transition(State.RUNNING, "settle Cancel", State.CANCELLED, sets=_ENDED),
        Transition(
            State.RUNNING,
            "rescue",
            State.RETRYING,
            "lease expired",
            f"run_at = now, {_FAILED}; lease_until cleared",
        ),
        Transition(State.RUNNING, "rescue", State.DISCARDED, "lease expired, attempts used up", f"{_FAILED}, {_ENDED}"),
        Transition(State.RUNNING, "rescue", State.CANCELLED, f"lease expired, {_FLAGGED}", f"{_FAILED}, {_ENDED}"),
        Transition(State.RUNNING, "cancel", State.RUNNING, "not yet requested", "cancel_requested"),
        Transition(State.PENDING, "cancel", State.CANCELLED, sets="finished_at"),
        Transition(State.RETRYING, "cancel", State.CANCELLED, sets="finished_at"),
        Transition(State.PENDING, "update", State.PENDING, "a value differs", _CHANGED),
        Transition(State.RETRYING, "update", State.RETRYING, "a value differs", _CHANGED),
        Transition(State.RETRYING, "requeue", State.PENDING, sets=_REQUEUED),
        *(Transition(s, "requeue", State.PENDING, "its unique key is free", _REQUEUED) for s in _FINISHED),
        *(Transition(s, "delete", None) for s in (State.PENDING, State.RETRYING, *_FINISHED)),
        *(Transition(s, "purge", None, "finished before the cut-off") for s in _FINISHED),
        *(Transition(None, "restore", s, f"the record is {s}", "every field") for s in State),
    )
)

CLAIMABLE = TRANSITIONS.sources("claim")
"""The states of jobs that wait for a claim."""

FINAL = TRANSITIONS.sources("purge")
"""The states of finished jobs."""
