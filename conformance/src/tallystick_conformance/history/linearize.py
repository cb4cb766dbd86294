"""Linearize one record: find an order that explains all facts about it, and its certain states over time.

The search goes through the facts in order of time, and keeps every state that the record may be in ("just-in-time
linearization", Lowe 2017). While no call is open there is usually one such state, so the search is cheap. A record with
too many possible states is given up and not judged.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from typing import NamedTuple
from uuid import UUID

from tallystick import State

from ..contract.eligibility import holds_key
from .effects import Refusal, Stored
from .observations import Fact

MOST_STATES = 400
"""With more possible states than this at one moment, a record is given up."""


_SHOWN = 3
"""How many earlier facts are shown with a stuck one."""


class Window(NamedTuple):
    """A period in which a record kept one state, and the states that this may have been."""

    opened: float
    closed: float
    states: tuple[Stored, ...]


class Stuck(NamedTuple):
    """A fact that no order explains, the reason, and the facts before it."""

    fact: Fact
    refusal: Refusal
    others: tuple[Fact, ...]


@dataclass(slots=True)
class Life:
    """The history of one record.

    Args:
        id: The record's id.
        windows: The periods in which no call may have changed it.
        untouched: The periods in which no call touched it, not even a rejected one.
        held: The periods in which it certainly held its unique key.
        reached: The earliest time at which it may have been in each state.
        stuck: A fact that no order explains, if any.
        given_up: Whether there were too many possible states at one moment.
        looked: Number of effects that were tried.
    """

    id: UUID
    windows: list[Window] = field(default_factory=list)
    untouched: list[Window] = field(default_factory=list)
    held: list[tuple[float, float]] = field(default_factory=list)
    reached: dict[State, float] = field(default_factory=dict)
    stuck: Stuck | None = None
    given_up: bool = False
    looked: int = 0


def covering(windows: list[Window], began: float, ended: float) -> Window | None:
    """Return the window that covers the whole period, or None."""
    index = bisect_left(windows, began, key=lambda window: window.opened) - 1
    window = windows[index] if index >= 0 else None
    return window if window is not None and window.closed > ended else None


class _GivenUp(Exception):
    pass


Configuration = tuple[Stored, frozenset[int]]
"""A possible state, and the open facts that have already happened in it."""


def explain(id: UUID, facts: Iterable[Fact], start: Stored, precision: timedelta) -> Life:
    """Search for orders that explain the facts."""
    search = _Search(Life(id), sorted(facts, key=_began), start, precision)
    try:
        search.run()
    except _GivenUp:
        search.life.given_up = True
    return search.life


def _began(fact: Fact) -> int:
    return fact.began


class _Quiet:
    """Records the windows between disturbances."""

    def __init__(self, windows: list[Window]) -> None:
        self._windows = windows
        self._disturbing = 0
        self._since = -inf

    @property
    def is_now(self) -> bool:
        return not self._disturbing

    def disturb(self, time: float, configurations: Iterable[Configuration]) -> None:
        if not self._disturbing and self._since < time:
            self._windows.append(Window(self._since, time, tuple(dict.fromkeys(state for state, _ in configurations))))
        self._disturbing += 1

    def calm(self, time: float) -> None:
        self._disturbing -= 1
        self._since = time


class _Search:
    def __init__(self, life: Life, facts: Sequence[Fact], start: Stored, precision: timedelta) -> None:
        self.life = life
        self._facts = facts
        self._precision = precision
        self._configurations: list[Configuration] = [(start, frozenset())]
        self._open: dict[int, None] = {}
        self._reads: dict[int, None] = {}
        self._unchanged = _Quiet(life.windows)
        self._untouched = _Quiet(life.untouched)
        self._held_since: float | None = None

    def run(self) -> None:
        for time, is_end, index in self._events():
            if not is_end:
                self._begin(time, index)
            elif self._facts[index].certain:
                self._configurations = self._after(index)
                if not self._configurations:
                    return
                self._end(time, index)
            else:
                self._configurations = list(self._reachable())
                self._end(time, index)
        self._unchanged.disturb(inf, self._configurations)
        self._untouched.disturb(inf, self._configurations)
        self._release_key()

    def _events(self) -> list[tuple[float, bool, int]]:
        began = [(float(fact.began), False, index) for index, fact in enumerate(self._facts)]
        ended = [(fact.ended, True, index) for index, fact in enumerate(self._facts) if fact.ended < inf]
        return sorted(began + ended)

    def _begin(self, time: float, index: int) -> None:
        fact = self._facts[index]
        if fact.touches:
            self._untouched.disturb(time, self._configurations)
        if fact.reads:
            self._reads[index] = None
            self._configurations = [self._with_reads(configuration) for configuration in self._configurations]
        else:
            self._unchanged.disturb(time, self._configurations)
            self._open[index] = None

    def _end(self, time: float, index: int) -> None:
        self._configurations = list(dict.fromkeys((state, done - {index}) for state, done in self._configurations))
        fact = self._facts[index]
        del (self._reads if fact.reads else self._open)[index]
        if fact.touches:
            self._untouched.calm(time)
        if not fact.reads:
            self._unchanged.calm(time)
            self._note_key(time)

    def _note_key(self, time: float) -> None:
        if self._held_since is None and all(holds_key(state) for state, _ in self._configurations):
            self._held_since = time if self._unchanged.is_now else None

    def _release_key(self) -> None:
        if self._held_since is not None:
            self.life.held.append((self._held_since, self.life.windows[-1].closed))
            self._held_since = None

    def _after(self, index: int) -> list[Configuration]:
        """Return the configurations in which a fact has just happened; if there is none, record the fact as stuck."""
        reached = []
        for configuration in self._reachable(until=index):
            if index in configuration[1]:
                reached.append(configuration)
        if not reached:
            refusals = (self._apply(index, state) for state, _ in self._configurations)
            refusal = next(refusal for refusal in refusals if isinstance(refusal, Refusal))
            self.life.stuck = Stuck(self._facts[index], refusal, self._before(index))
        return reached

    def _reachable(self, until: int | None = None) -> Iterator[Configuration]:
        """Yield the configurations reachable by open facts, without going beyond the fact `until`."""
        configurations = list(dict.fromkeys(self._configurations))
        known = set(configurations)
        for configuration in configurations:
            self._reach(configuration[0])
            yield configuration
            if until not in configuration[1]:
                for further in self._next(configuration):
                    if further not in known:
                        known.add(further)
                        configurations.append(further)
                if len(configurations) > MOST_STATES:
                    raise _GivenUp

    def _reach(self, state: Stored) -> None:
        if not holds_key(state):
            self._release_key()
        if state is not None and state.state not in self.life.reached:
            self.life.reached[state.state] = self.life.windows[-1].closed if self.life.windows else -inf

    def _next(self, configuration: Configuration) -> Iterator[Configuration]:
        state, done = configuration
        for index in self._open:
            if index not in done:
                after = self._apply(index, state)
                if not isinstance(after, Refusal):
                    yield self._with_reads((after, done | {index}))

    def _with_reads(self, configuration: Configuration) -> Configuration:
        """Apply every open read that fits the state; postponing a read gains nothing."""
        state, done = configuration
        for index in self._reads:
            if index not in done and not isinstance(self._apply(index, state), Refusal):
                done |= {index}
        return state, done

    def _apply(self, index: int, state: Stored) -> Stored | Refusal:
        self.life.looked += 1
        return self._facts[index].effect(state, self._precision)

    def _before(self, index: int) -> tuple[Fact, ...]:
        fact = self._facts[index]
        earlier = [f for f in self._facts if f.certain and not f.reads and f.began <= fact.ended and f is not fact]
        return tuple(earlier[-_SHOWN:])
