"""The history checker: rules R1 to R14 on what concurrent clients did and were answered.

Calls are closed intervals: of two that overlap, either may have been first. A call of unknown outcome may have happened
at any moment after it began, or never. Each record and each unique key is judged by itself, so the time taken grows
with the number of operations, not with the number of their orders. What cannot be told for sure is not held against a
backend.

R1 a record's attempts rise by one, and none is handed out twice; R2 an attempt begins after the end of the one before;
R3 each attempt ends at most once; R4 an attempt is held and settled only while it runs, and not refused while it does;
R5 nothing but a requeue follows a final state; R6 no job is handed out before it is due; R7 a call takes only what it
asks for, and nothing from paused queues; R8 at most `limit`, none twice; R9 a claim or rescue with room left leaves
nothing behind; R10 claiming order; R11 nothing lost, nothing doubled; R12 what is read is what was stored; R13 a unique
key has one holder; R14 only what has expired is rescued.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import accumulate, chain, islice
from math import inf
from uuid import UUID

from tallystick import FINAL, Record

from . import answers, counts, keys, missed
from .finding import Finding
from .linearize import Life, Stuck, Window, explain
from .observations import TOUCHES, Fact, gather, perhaps
from .operation import Operation
from .pauses import Pauses

__all__ = ["Finding", "check"]

_MOST_VAGUE = 5
"""How many calls that may have changed a record, or not, are tried before it is given up."""


def check(
    history: Iterable[Operation], *, precision: timedelta, start: Mapping[UUID, Record] | None = None
) -> list[Finding]:
    """Judge a history by every rule.

    Args:
        history: Every operation on the store, in any order.
        precision: The store's `time_precision`.
        start: All that the store held at the start; no queue is paused then.

    Returns:
        What breaks a rule, in the order of time; empty where there is an explanation for everything.
    """
    history = sorted(history, key=lambda operation: operation.began)
    start = {} if start is None else start
    facts, unclear = gather(history)
    vague, ids = _Vague(unclear), facts.keys() | start.keys()
    lives = {id: _life(id, facts.get(id, []), vague, start.get(id), precision) for id in ids}
    findings = [finding for operation in history for finding in answers.judge(operation)]
    findings += [_finding(life.id, life.stuck) for life in lives.values() if life.stuck is not None]
    pauses = Pauses(history)
    findings += _from_paused(history, pauses)
    findings += missed.judge(history, lives.values(), pauses, precision)
    findings += missed.judge_named(history, lives)
    findings += counts.judge(history, lives)
    findings += keys.judge(history, lives)
    return sorted(findings, key=lambda finding: finding.operations[-1].began)


class _Vague:
    """The operations of which nobody knows which records they changed."""

    def __init__(self, operations: list[Operation]) -> None:
        self._unknown = [operation for operation in operations if operation.unknown]
        self._first: dict[str, float] = {}
        for operation in self._unknown:
            self._first.setdefault(operation.call, operation.began)
        self._purges = sorted((o for o in operations if not o.unknown), key=lambda operation: operation.over)
        self._ended = [purge.over for purge in self._purges]
        self._first_purge = list(accumulate((purge.began for purge in reversed(self._purges)), min))[::-1]

    def cut(self, life: Life) -> None:
        """Be sure of a record only until one began that may have changed it."""
        since = min(self._calls(life), default=inf)
        life.windows, life.untouched = _until(since, life.windows), _until(since, life.untouched)
        life.held = [(began, min(ended, since)) for began, ended in life.held if began < since]

    def _calls(self, life: Life) -> Iterator[float]:
        for call, began in self._first.items():
            if not TOUCHES[call].isdisjoint(life.reached):
                yield began
        index = self._purges_from(life)
        if index < len(self._purges):
            yield self._first_purge[index]

    def _purges_from(self, life: Life) -> int:
        final = min((time for state, time in life.reached.items() if state in FINAL), default=inf)
        return bisect_left(self._ended, final)

    def possible(self, life: Life, stuck: Stuck) -> Iterator[Fact]:
        """Yield what may have changed a record before a fact."""
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
                    yield Finding.of("R7", f"a job of queue {queue!r} was handed out, although it was paused", call)
