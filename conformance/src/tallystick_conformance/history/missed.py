"""Find missed jobs: jobs that a claim or rescue should have returned, because no other call touched them."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import accumulate
from math import inf
from typing import Any, NamedTuple
from uuid import UUID

from tallystick import Record, State

from ..contract.eligibility import CLAIMABLE, claim_order, fits, is_changed, is_eligible
from .finding import Finding
from .linearize import Life, Window, covering
from .moments import ANY
from .operation import Operation
from .pauses import Pauses

_BY_FILTER = ("cancel", "requeue", "delete", "update")

MOST_LOOKS = 200
"""How many waiting jobs are checked for each call, from the first in order."""

_TICK = timedelta(microseconds=1)
_EXPIRED = "expired"
"""The shelf of running jobs, ordered by the end of their leases; the other shelves are queues."""


class _Waiting(NamedTuple):
    order: Any
    id: UUID
    closed: float
    since: float
    record: Record


Shelf = tuple[str, str]


def check_missed(
    history: Iterable[Operation], lives: Iterable[Life], pauses: Pauses, precision: timedelta
) -> Iterator[Finding]:
    """Yield R9 for jobs missed by a call below its limit, and R10 for jobs skipped by a claim without overlap."""
    shelves: defaultdict[Shelf, list[_Waiting]] = defaultdict(list)
    history = list(history)
    calls = [operation for operation in history if operation.call in ("claim", "rescue") and not operation.failed]
    alone = _alone([call for call in calls if call.call == "claim"])
    for _, kind, _, item in sorted(_events(calls, lives), key=lambda event: event[:3]):
        if kind == _CALLED:
            yield from _check(item, shelves, pauses, precision - _TICK, alone=id(item) in alone, history=history)
        elif kind == _OPENED:
            insort(shelves[item[0]], item[1])
        else:
            shelf = shelves[item[0]]
            del shelf[bisect_left(shelf, item[1])]


def check_missed_by_id(history: Iterable[Operation], lives: Mapping[UUID, Life]) -> Iterator[Finding]:
    """Yield R9 for jobs that a cancel, requeue or delete below its limit got by id and did not change."""
    for call in history:
        if call.failed or call.unknown or call.call not in _BY_FILTER or call.given["filter"].ids is None:
            continue
        if len(call.answer) == call.given["limit"]:
            continue
        for id in set(call.given["filter"].ids) & lives.keys() - set(call.answer):
            window = covering(lives[id].untouched, call.began, call.over)
            if window is not None and all(_must_change(call, state) for state in window.states):
                yield Finding.of(
                    "R9", f"{call.call} was below its limit, but did not change job {id}, which its filter names", call
                )


def _must_change(call: Operation, stored: Record | None) -> bool:
    if stored is None or not fits(call.given["filter"], stored):
        return False
    may_stay = call.call == "requeue" and stored.unique_key is not None  # its key may have another holder
    return is_eligible(call.call, stored) and not may_stay and not _has_values(call, stored)


def _has_values(call: Operation, stored: Record) -> bool:
    return call.call == "update" and not is_changed(stored, call.given["changes"])


_CLOSED, _CALLED, _OPENED = range(3)


def _events(calls: Iterable[Operation], lives: Iterable[Life]) -> Iterator[tuple[float, int, int, Any]]:
    for index, call in enumerate(calls):
        if not call.unknown and call.given.get("now") is not None:
            yield call.began, _CALLED, index, call
    for index, life in enumerate(lives):
        for window in life.untouched:
            shelved = _on_shelf(life, window)
            if shelved is not None:
                yield window.opened, _OPENED, index, shelved
                yield window.closed, _CLOSED, index, shelved


def _on_shelf(life: Life, window: Window) -> tuple[Shelf, _Waiting] | None:
    """Return the shelf that a job was certainly on, with its latest possible due time or lease end; None if unsure."""
    records = [state for state in window.states if state is not None]
    if len(records) < len(window.states):
        return None
    shelf: Shelf
    order: Any
    if all(record.state in CLAIMABLE for record in records):
        last = max(records, key=lambda record: record.run_at)
        shelf, order, moment = ("queue", last.queue), claim_order(last), last.run_at
    elif all(record.state is State.RUNNING for record in records):
        last = max(records, key=lambda record: record.lease_until or ANY)
        shelf, order, moment = (_EXPIRED, ""), last.lease_until, last.lease_until or ANY
    else:
        return None
    was_another = any(time < window.opened for state, time in life.reached.items() if state is not State.PENDING)
    since = window.opened if was_another else -inf
    return None if moment is ANY else (shelf, _Waiting(order, life.id, window.closed, since, last))


def _alone(claims: list[Operation]) -> set[int]:
    """Return the claims that overlap no other claim."""
    ends = [claim.over for claim in claims]
    latest = [-inf, *accumulate(ends, max)]
    begins = [*(claim.began for claim in claims), inf]
    return {
        id(claim)
        for index, claim in enumerate(claims)
        if latest[index] < claim.began and ends[index] < begins[index + 1]
    }


def _check(
    call: Operation,
    shelves: defaultdict[Shelf, list[_Waiting]],
    pauses: Pauses,
    slack: timedelta,
    *,
    alone: bool,
    history: Sequence[Operation],
) -> Iterator[Finding]:
    room = len(call.answer) < call.given["limit"]
    last = None if room or not call.answer else claim_order(call.answer[-1])
    if not room and (call.call == "rescue" or not alone):
        return
    if call.call == "rescue":
        found = _first(call, shelves[_EXPIRED, ""], slack, None, history)
        if found is not None:
            text = f"rescue returned {len(call.answer)} of at most {call.given['limit']}, but not job {found.id} "
            yield Finding.of("R9", f"{text}with a lease that ended at {found.record.lease_until}", call)
        return
    for queue in dict.fromkeys(call.given["queues"]):
        found = _first(call, shelves["queue", queue], slack, last, history)
        if found is None or not pauses.surely_open(queue, call):
            continue
        if room:
            text = (
                f"claim returned {len(call.answer)} of at most {call.given['limit']}, but not job {found.id} of queue"
            )
            yield Finding.of("R9", f"{text} {queue!r}, due since {found.record.run_at.isoformat()}", call)
        else:
            text = f"claim skipped job {found.id} (priority {found.record.priority}, due "
            yield Finding.of(
                "R10", f"{text}{found.record.run_at.isoformat()}), which comes before those it returned", call
            )


def _may_hold(other: Operation, call: Operation, waiting: _Waiting) -> bool:
    """Return whether another call may have locked a job at the same time without changing it.

    Such a call began before the job got its present state, and its arguments fit the earlier one. A rescue may also
    skip every job that another call may change.
    """
    if other is call or other.began > call.over or other.over < call.began:
        return False
    too_late = other.began <= waiting.since
    if other.call == "claim":
        return too_late and waiting.record.queue in other.given["queues"]
    return (too_late or call.call == "rescue") and _may_change(other, waiting.id)


def _may_change(call: Operation, id: UUID) -> bool:
    """Return whether a call may change a job, by its id or as one of all that fit."""
    match call.call:
        case "cancel" | "requeue" | "delete" | "update":
            return call.given["filter"].ids is None or id in call.given["filter"].ids
        case "settle":
            return any(outcome.claim.id == id for outcome in call.given["outcomes"])
        case "extend":
            return any(claim.id == id for claim in call.given["claims"])
        case "report_progress":
            return any(report.claim.id == id for report in call.given["reports"])
        case name:
            return name in ("rescue", "purge")


def _first(
    call: Operation, shelf: list[_Waiting], slack: timedelta, last: Any, history: Sequence[Operation]
) -> _Waiting | None:
    """Return the first job on a shelf, before `last`, that was free and due throughout a call but not returned."""
    taken = {record.id for record in call.answer}
    for waiting in shelf[:MOST_LOOKS]:
        record = waiting.record
        if last is not None and waiting.order >= last:
            return None
        moment = record.run_at if record.state in CLAIMABLE else record.lease_until
        assert moment is not None
        due = waiting.closed > call.over and call.given["now"] - moment >= slack
        if due and waiting.id not in taken and not any(_may_hold(other, call, waiting) for other in history):
            return waiting
    return None
