"""Check counts and lists: between the records that certainly existed throughout a call, and those that may have."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from tallystick import Filter, State

from .finding import Finding
from .linearize import Life, Window, covering
from .operation import Operation

GONE = None
"""The state of a record that does not exist."""


class Census:
    """Counts the records that were certainly in each state throughout a call."""

    def __init__(self, lives: Iterable[Life]) -> None:
        sure = [(window, state) for life in lives for window in life.windows for state in _state(window)]
        self._opened = _by_state((window.opened, state) for window, state in sure)
        self._closed = sorted(((window.closed, window.opened, _key(state)) for window, state in sure))
        self._ends = [closed for closed, _, _ in self._closed]
        self._gone = _by_state((window.closed, state) for window, state in sure)

    def throughout(self, began: float, ended: float) -> Counter[State | None]:
        """Count the records by state that stayed in that state from before `began` until after `ended`."""
        counts: Counter[State | None] = Counter()
        for state, times in self._opened.items():
            counts[state] = bisect_left(times, began) - bisect_right(self._gone[state], began)
        for index in range(bisect_right(self._ends, began), bisect_right(self._ends, ended)):
            _, opened, key = self._closed[index]
            counts[_from_key(key)] -= opened < began
        return counts


def _state(window: Window) -> Iterator[State | None]:
    states = {None if state is None else state.state for state in window.states}
    if len(states) == 1 and window.opened < window.closed:
        yield states.pop()


def _key(state: State | None) -> str:
    return "" if state is None else state.value


def _from_key(key: str) -> State | None:
    return State(key) if key else None


def _by_state(times: Iterable[tuple[float, State | None]]) -> dict[State | None, list[float]]:
    found: dict[State | None, list[float]] = {}
    for time, state in times:
        found.setdefault(state, []).append(time)
    for of in found.values():
        of.sort()
    return found


def check_counts(history: Iterable[Operation], lives: Mapping[UUID, Life]) -> Iterator[Finding]:
    """Yield R12 for stats and lists out of bounds, and R11 for jobs missing from the last complete list."""
    census = Census(lives.values())
    whole: Operation | None = None
    for call in history:
        if call.failed or call.unknown:
            continue
        if call.call == "stats":
            counts = census.throughout(call.began, call.over)
            unsure = len(lives) - sum(counts.values())
            yield from _stats(call, counts, unsure)
        elif call.call == "list" and _only_states(call) and len(call.answer) < call.given["limit"]:
            states = call.given["filter"].states
            counts = census.throughout(call.began, call.over)
            least = sum(counts[state] for state in (set(State) if states is None else set(states)))
            if len(call.answer) < least:
                yield Finding.of("R12", f"list returned {len(call.answer)} records, although there were {least}", call)
            whole = call if states is None else whole
    if whole is not None:
        yield from _lost(whole, lives)


def _only_states(call: Operation) -> bool:
    filter: Filter = call.given["filter"]
    return call.given.get("after") is None and filter == Filter(states=filter.states)


def _stats(call: Operation, least: Counter[Any], unsure: int) -> Iterator[Finding]:
    stats = call.answer
    if sum(stats.by_state.values()) != stats.total:
        counted = dict(stats.by_state)
        yield Finding.of("R12", f"stats counted {stats.total} in total, but by state {counted}", call)
    there = sum(count for state, count in least.items() if state is not GONE)
    bounds = [("records", there, stats.total)]
    bounds += [(f"{state} records", least[state], stats.by_state.get(state, 0)) for state in State]
    for what, fewest, counted in bounds:
        if not fewest <= counted <= fewest + unsure:
            most = fewest + unsure
            text = f"{fewest}" if not unsure else f"from {fewest} to {most}"
            yield Finding.of("R12", f"stats counted {counted} {what}, although there were {text}", call)
            return


def _lost(whole: Operation, lives: Mapping[UUID, Life]) -> Iterator[Finding]:
    listed = {record.id for record in whole.answer}
    for id, life in lives.items():
        window = covering(life.windows, whole.began, whole.over)
        if window is not None and GONE not in window.states and id not in listed:
            yield Finding.of(
                "R11", f"job {id} is lost: no call removed it, but a list of all jobs does not have it", whole
            )
