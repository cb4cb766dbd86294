"""The history checker: check the calls and results of concurrent clients against rules R1 to R14.

Calls are closed intervals: if two overlap, either may have happened first. A call of unknown outcome may have happened
at any moment after it began, or never. The checker judges each record and each unique key separately, so its time grows
with the number of operations, not with the number of their orders. It reports only what is certainly wrong.

- R1: The attempts of a record rise by one, and no attempt is claimed twice.
- R2: An attempt begins after the previous one ended.
- R3: Each attempt ends at most once.
- R4: An attempt can be extended and settled if and only if it runs.
- R5: Only a requeue changes a job in a final state.
- R6: No job is claimed before it is due.
- R7: A call changes only jobs that fit its arguments, and a claim takes none from paused queues.
- R8: A call returns at most `limit` items, each once.
- R9: A claim or rescue that returns fewer than `limit` leaves no eligible job.
- R10: Claims follow the claiming order.
- R11: No job is lost or stored twice.
- R12: A read returns the stored data.
- R13: A unique key has one holder.
- R14: Only expired attempts are rescued.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import accumulate, chain, islice
from math import inf
from uuid import UUID

from tallystick import Record

from ..contract.eligibility import CLAIMABLE, ELIGIBLE, FINAL
from .answers import check_answer
from .counts import check_counts
from .finding import Finding
from .keys import check_keys
from .linearize import Life, Stuck, Window, explain
from .missed import check_missed, check_missed_by_id
from .observations import Fact, gather, perhaps
from .operation import Operation
from .pauses import Pauses

_MOST_VAGUE = 5
"""With more calls of unknown effect than this, a record is given up."""


def check(
    history: Iterable[Operation], *, precision: timedelta, start: Mapping[UUID, Record] | None = None
) -> list[Finding]:
    """Check a history against every rule.

    Args:
        history: Every operation on the store, in any order.
        precision: The store's `time_precision`.
        start: The contents of the store at the start. No queue may be paused then.

    Returns:
        The violated rules in order of time; empty if some order explains every result.
    """
    history = sorted(history, key=lambda operation: operation.began)
    start = {} if start is None else start
    facts, unclear = gather(history)
    vague, ids = _Vague(unclear), facts.keys() | start.keys()
    lives = {id: _life(id, facts.get(id, []), vague, start.get(id), precision) for id in ids}
    findings = [finding for operation in history for finding in check_answer(operation)]
    findings += [_finding(life.id, life.stuck) for life in lives.values() if life.stuck is not None]
    pauses = Pauses(history)
    findings += _from_paused(history, pauses)
    findings += check_missed(history, lives.values(), pauses, precision)
    findings += check_missed_by_id(history, lives)
    findings += check_counts(history, lives)
    findings += check_keys(history, lives)
    return sorted(findings, key=lambda finding: finding.operations[-1].began)


class _Vague:
    """The operations for which the changed records are unknown."""

    def __init__(self, operations: list[Operation]) -> None:
        self._unknown = [operation for operation in operations if operation.unknown]
        self._first: dict[str, float] = {}
        for operation in self._unknown:
            self._first.setdefault(operation.call, operation.began)
        self._purges = sorted((o for o in operations if not o.unknown), key=lambda operation: operation.over)
        self._ended = [purge.over for purge in self._purges]
        self._first_purge = list(accumulate((purge.began for purge in reversed(self._purges)), min))[::-1]

    def cut(self, life: Life) -> None:
        """Cut off what is certain about a record when the first operation began that may have changed it."""
        since = min(self._calls(life), default=inf)
        life.windows, life.untouched = _until(since, life.windows), _until(since, life.untouched)
        life.held = [(began, min(ended, since)) for began, ended in life.held if began < since]

    def _calls(self, life: Life) -> Iterator[float]:
        for call, began in self._first.items():
            if not ELIGIBLE.get(call, CLAIMABLE).isdisjoint(life.reached):  # an insert may have changed a waiting job
                yield began
        index = self._purges_from(life)
        if index < len(self._purges):
            yield self._first_purge[index]

    def _purges_from(self, life: Life) -> int:
        final = min((time for state, time in life.reached.items() if state in FINAL), default=inf)
        return bisect_left(self._ended, final)

    def possible(self, life: Life, stuck: Stuck) -> Iterator[Fact]:
        """Yield the operations that may have changed the record before the stuck fact."""
        queue = _queue(life)
        for operation in chain(self._unknown, self._purges[self._purges_from(life) :]):
            fact = perhaps(operation, life.id, queue) if operation.began <= stuck.fact.ended else None
            if fact is not None:
                yield fact


def _until(since: float, windows: list[Window]) -> list[Window]:
    return [window._replace(closed=min(window.closed, since)) for window in windows if window.opened < since]


def _life(id: UUID, certain: list[Fact], vague: _Vague, start: Record | None, precision: timedelta) -> Life:
    life, tried = explain(id, certain, start, precision), 0
    while life.stuck is not None:
        possible = list(islice(vague.possible(life, life.stuck), _MOST_VAGUE + 1))
        if len(possible) == tried:
            return Life(id, stuck=life.stuck, looked=life.looked)
        if len(possible) > _MOST_VAGUE:
            return Life(id, given_up=True)
        life, tried = explain(id, [*certain, *possible], start, precision), len(possible)
    if life.given_up:
        return Life(id, given_up=True)
    vague.cut(life)
    return life


def _queue(life: Life) -> str | None:
    states = (state for window in life.windows for state in window.states)
    return next((state.queue for state in states if state is not None), None)


def _finding(id: UUID, stuck: Stuck) -> Finding:
    fact, refusal = stuck.fact, stuck.refusal
    at = f"{fact.operation.call} by {fact.operation.client} at {fact.began}"
    others = tuple(other.operation for other in stuck.others)
    return Finding.of(refusal.rule, f"job {id}: {refusal.why} ({at})", *others, fact.operation)


def _from_paused(history: Iterable[Operation], pauses: Pauses) -> Iterator[Finding]:
    for call in history:
        if call.call == "claim" and not call.failed and not call.unknown:
            for queue in dict.fromkeys(record.queue for record in call.answer):
                if pauses.surely_paused(queue, call):
                    yield Finding.of("R7", f"a job of queue {queue!r} was claimed, although the queue was paused", call)
