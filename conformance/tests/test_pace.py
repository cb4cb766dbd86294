"""The pace of a tier: everything runs if there is time, else an evenly spread selection."""

from collections.abc import Iterator
from itertools import count

import pytest
from tallystick_conformance import conform
from tallystick_conformance.harness.pace import Pace, share
from tallystick_conformance.harness.profiles import PROFILES
from tallystick_conformance.running.run_clauses import run_programs
from tallystick_conformance.subject.target import Target


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def _tried(pace: Pace, clock: Clock, places: int, seconds: float) -> Iterator[int]:
    pace.begin()
    n = 1
    while n < places:
        yield n
        clock.now += seconds
        n += pace.stride(places - n - 1)


def test_with_time_each_is_tried() -> None:
    """On a fast store, every schedule runs."""
    clock = Clock()
    pace = Pace(10, kinds=2, clock=clock)

    assert [list(_tried(pace, clock, 20, 0.01)) for _ in range(2)] == [list(range(1, 20))] * 2
    assert share(pace, what="schedules") == ("schedules", 38, 38)


def test_without_time_they_are_spread_evenly() -> None:
    """If one schedule takes a tenth of the time, about ten run, spread from the first to the last."""
    clock = Clock()
    pace = Pace(2, kinds=2, clock=clock)
    for _ in range(2):
        tried = list(_tried(pace, clock, 100, 0.1))
        assert 8 <= len(tried) <= 12
        assert tried[-1] > 85

    assert clock.now <= 2.5
    assert share(pace, what="schedules") == ("schedules", pace.tried, 198)


@pytest.mark.parametrize("places", [2, 3, 4, 50])
def test_however_slow_some_are_tried(places: int) -> None:
    """At least three schedules of each kind run, or all if there are fewer, even if one takes longer than its share."""
    clock = Clock()
    pace = Pace(1, kinds=4, clock=clock)

    for _ in range(4):
        assert len(list(_tried(pace, clock, places, 5))) == min(3, places - 1)


def test_of_drawn_ones_the_least_are_tried() -> None:
    """A minimum of random tests runs regardless of time; after it, none runs once time is up."""
    clock = Clock()
    pace = Pace(1, kinds=1, clock=clock)
    pace.begin()
    for _ in count():
        if not pace.affords_another(least=6):
            break
        clock.now += 1

    assert (pace.tried, pace.left_out) == (6, 1)


def test_programs_are_fewer_where_each_takes_long() -> None:
    """As many programs run as there is time for, and at least a quarter; the result has the share."""
    profile = PROFILES["quick"]._replace(programs=8, program_seconds=0.0, steps=3)
    results = list(run_programs(Target.of("memory://"), profile, ["CALL-01"]))
    assert [result.shares for result in results] == [(("programs", 4, 16),)]


@pytest.mark.kit
def test_quick_tries_the_same_schedules_however_slow() -> None:
    """Two quick runs plan the same programs and rounds, regardless of time, and both plan schedules."""
    only = ["SCHED-02", "HISTORY-03", "CALL-01"]
    planned = [[result.shares for result in conform("memory://", only=only).results] for _ in range(2)]

    counts = [{share.what: share.planned for shares in run for share in shares} for run in planned]
    assert (counts[0]["programs"], counts[0]["rounds"]) == (counts[1]["programs"], counts[1]["rounds"])
    assert all(count[what] > 0 for count in counts for what in ("programs", "rounds", "schedules"))
