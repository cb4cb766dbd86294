"""The pace of a tier: everything runs if there is time, else an evenly spread selection."""

from collections.abc import Iterator
from itertools import count
from math import inf

import pytest
from tallystick_conformance.harness.pace import Pace, share
from tallystick_conformance.harness.profiles import PROFILES, Profile
from tallystick_conformance.harness.shares import Share
from tallystick_conformance.running import engine  # noqa: F401 - importing it registers all examples
from tallystick_conformance.running.run_clauses import run_examples, run_programs
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


def test_with_unlimited_time_everything_planned_runs() -> None:
    """The profile decides how many programs and rounds are planned, and unlimited time leaves out no schedule."""
    profile = _with_limits(inf)
    programs, rounds, schedules = _shares(profile)

    assert programs == ("programs", 2 * profile.programs, 2 * profile.programs)
    assert rounds == ("rounds", profile.histories, profile.histories)
    assert schedules.tried == schedules.planned > 0


def test_without_time_as_much_is_planned() -> None:
    """Without time, fewer programs, rounds and schedules run, but no fewer are planned."""
    profile = _with_limits(0.0)
    programs, rounds, schedules = _shares(profile)

    assert programs == ("programs", 2 * profile.programs // 4, 2 * profile.programs)
    assert rounds == ("rounds", 1, profile.histories)
    assert 0 < schedules.tried < schedules.planned


def _with_limits(seconds: float) -> Profile:
    """Return the quick profile with few programs and this limit for each kind of work."""
    quick = PROFILES["quick"]._replace(programs=8, steps=3)
    return quick._replace(program_seconds=seconds, schedule_seconds=seconds, history_limit=seconds)


def _shares(profile: Profile) -> list[Share]:
    """Return the shares of the programs, the rounds of one rule, and the schedules of one clause."""
    target = Target.of("memory://")
    with target.fresh() as (_, client):
        examples = [run_examples(id, target, profile, client.capabilities) for id in ("HISTORY-03", "SCHED-02")]
    return [share for result in [*run_programs(target, profile, ["CALL-01"]), *examples] for share in result.shares]
