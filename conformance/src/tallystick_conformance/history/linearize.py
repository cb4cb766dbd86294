"""The life of one record: whether any order of the facts about it explains them all, and what it surely was, and when.

The search goes through the facts in time and keeps every state that the record may be in ("just-in-time
linearization", Lowe 2017). At a moment with no call under way there is mostly one, so it costs little; a record about
which too much is open is given up, and not judged.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from typing import NamedTuple
from uuid import UUID

from tallystick import FINAL, State

from .observations import Fact
from .steps import Refusal, Stored

MOST_STATES = 400
"""A record that may be in more states than this, at one moment, is given up."""


_SHOWN = 3
"""How many earlier facts are shown with one that is stuck."""


class Window(NamedTuple):
    """A time through which no call touched a record, and what it may have been: the same one throughout."""

    opened: float
    closed: float
    states: tuple[Stored, ...]


class Stuck(NamedTuple):
    """A fact that no order explains, why, and the facts on which that rests."""

    fact: Fact
    refusal: Refusal
    others: tuple[Fact, ...]


@dataclass(slots=True)
class Life:
    """What became of one record.

    Args:
        id: The record's.
        windows: When nothing changed it.
        untouched: When no call touched it, not even one that was refused.
        held: The times through which it surely held its unique key.
        reached: Since when it may have been in each state that it may have been in.
        stuck: A fact that cannot be explained.
        given_up: Whether too much was open at a moment.
        looked: How many steps were tried.
    """

    id: UUID
    windows: list[Window] = field(default_factory=list)
    untouched: list[Window] = field(default_factory=list)
    held: list[tuple[float, float]] = field(default_factory=list)
    reached: dict[State, float] = field(default_factory=dict)
    stuck: Stuck | None = None
    given_up: bool = False
    looked: int = 0


def holds_key(stored: Stored) -> bool:
    """Say whether a record holds a unique key."""
    if stored is None or stored.unique_key is None:
        return False
    return stored.state not in FINAL or stored.unique_until == "purged"


def covering(windows: list[Window], began: float, ended: float) -> Window | None:
    """Return the window through which a call went, if one was open from before it until after it."""
    index = bisect_left(windows, began, key=lambda window: window.opened) - 1
    window = windows[index] if index >= 0 else None
    return window if window is not None and window.closed > ended else None


class _GivenUp(Exception):
    pass


Place = tuple[Stored, frozenset[int]]
"""A state, and which of the open facts have led to it."""


def explain(id: UUID, facts: Iterable[Fact], start: Stored, precision: timedelta) -> Life:
    """Look for orders that explain the facts."""
    search = _Search(Life(id), sorted(facts, key=_began), start, precision)
    try:
        search.run()
    except _GivenUp:
        search.life.given_up = True
    return search.life


def _began(fact: Fact) -> int:
    return fact.began


class _Quiet:
    """Notes the windows between disturbances."""

    def __init__(self, windows: list[Window]) -> None:
        self._windows = windows
        self._disturbing = 0
        self._since = -inf

    @property
    def is_now(self) -> bool:
        return not self._disturbing

    def disturb(self, time: float, places: Iterable[Place]) -> None:
        if not self._disturbing and self._since < time:
            self._windows.append(Window(self._since, time, tuple(dict.fromkeys(state for state, _ in places))))
        self._disturbing += 1

    def calm(self, time: float) -> None:
        self._disturbing -= 1
        self._since = time


class _Search:
    def __init__(self, life: Life, facts: Sequence[Fact], start: Stored, precision: timedelta) -> None:
        self.life = life
        self._facts = facts
        self._precision = precision
        self._places: list[Place] = [(start, frozenset())]
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
                self._places = self._led_to(index)
                if not self._places:
                    return
                self._end(time, index)
            else:
                self._places = list(self._reachable())
                self._end(time, index)
        self._unchanged.disturb(inf, self._places)
        self._untouched.disturb(inf, self._places)
        self._loosen()

    def _events(self) -> list[tuple[float, bool, int]]:
        began = [(float(fact.began), False, index) for index, fact in enumerate(self._facts)]
        ended = [(fact.ended, True, index) for index, fact in enumerate(self._facts) if fact.ended < inf]
        return sorted(began + ended)

    def _begin(self, time: float, index: int) -> None:
        fact = self._facts[index]
        if fact.touches:
            self._untouched.disturb(time, self._places)
        if fact.reads:
            self._reads[index] = None
            self._places = [self._having_read(place) for place in self._places]
        else:
            self._unchanged.disturb(time, self._places)
            self._open[index] = None

    def _end(self, time: float, index: int) -> None:
        self._places = list(dict.fromkeys((state, done - {index}) for state, done in self._places))
        fact = self._facts[index]
        del (self._reads if fact.reads else self._open)[index]
        if fact.touches:
            self._untouched.calm(time)
        if not fact.reads:
            self._unchanged.calm(time)
            self._hold(time)

    def _hold(self, time: float) -> None:
        if self._held_since is None and all(holds_key(state) for state, _ in self._places):
            self._held_since = time if self._unchanged.is_now else None

    def _loosen(self) -> None:
        if self._held_since is not None:
            self.life.held.append((self._held_since, self.life.windows[-1].closed))
            self._held_since = None

    def _led_to(self, index: int) -> list[Place]:
        """Return the places at which a fact has been; further ones lie behind these, for as long as others are open."""
        reached = []
        for place in self._reachable(until=index):
            if index in place[1]:
                reached.append(place)
        if not reached:
            refusals = (self._step(index, state) for state, _ in self._places)
            refusal = next(refusal for refusal in refusals if isinstance(refusal, Refusal))
            self.life.stuck = Stuck(self._facts[index], refusal, self._before(index))
        return reached

    def _reachable(self, until: int | None = None) -> Iterator[Place]:
        """Yield the places that open facts lead to; not beyond one at which the fact `until` has been."""
        places = list(dict.fromkeys(self._places))
        known = set(places)
        for place in places:
            self._reach(place[0])
            yield place
            if until not in place[1]:
                for further in self._next(place):
                    if further not in known:
                        known.add(further)
                        places.append(further)
                if len(places) > MOST_STATES:
                    raise _GivenUp

    def _reach(self, state: Stored) -> None:
        if not holds_key(state):
            self._loosen()
        if state is not None and state.state not in self.life.reached:
            self.life.reached[state.state] = self.life.windows[-1].closed if self.life.windows else -inf

    def _next(self, place: Place) -> Iterator[Place]:
        state, done = place
        for index in self._open:
            if index not in done:
                after = self._step(index, state)
                if not isinstance(after, Refusal):
                    yield self._having_read((after, done | {index}))

    def _having_read(self, place: Place) -> Place:
        """Let every open fact that only reads be now, if it can: nothing is gained by waiting."""
        state, done = place
        for index in self._reads:
            if index not in done and not isinstance(self._step(index, state), Refusal):
                done |= {index}
        return state, done

    def _step(self, index: int, state: Stored) -> Stored | Refusal:
        self.life.looked += 1
        return self._facts[index].step(state, self._precision)

    def _before(self, index: int) -> tuple[Fact, ...]:
        fact = self._facts[index]
        earlier = [f for f in self._facts if f.certain and not f.reads and f.began <= fact.ended and f is not fact]
        return tuple(earlier[-_SHOWN:])
