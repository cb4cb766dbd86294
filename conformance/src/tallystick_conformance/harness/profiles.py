"""Profiles: how much a run tests."""

from typing import Literal, NamedTuple

ProfileName = Literal["quick", "standard", "soak"]


class Profile(NamedTuple):
    """The size of a run.

    Args:
        programs: Generated programs for each start of the virtual clock.
        program_seconds: Their time limit. If it ends first, fewer programs run, but at least a quarter.
        steps: Maximum number of calls in each program.
        rounds: Rounds of each race.
        schedules: Number of small concurrent programs to draw, each with a schedule.
        places: Maximum number of steps, evenly spread, at which another worker overtakes one worker of a program.
        schedule_seconds: Time limit of each example about schedules. If it ends first, fewer schedules run.
        crashes: Maximum number of steps of each call at which a process is killed.
        histories: Minimum number of rounds for each rule of the history checker.
        history_seconds: For how long a fast store runs further rounds.
        history_limit: Time limit of all these rounds. If it ends first, fewer run.
        backlog: Number of jobs of each kind in the store when a claim must cost no more than among a few.
        large_batch: Maximum number of items in one batch.
        random: Whether a run without a seed draws one. Otherwise it tries the same programs each time.
        crowds: Whether one program in twelve starts with more than a hundred jobs.
        shrink: Whether to shrink a failing program.
        shrink_seconds: Time limit for shrinking.
        seed: The seed of all random choices.
    """

    programs: int
    program_seconds: float
    steps: int
    rounds: int
    schedules: int
    places: int
    schedule_seconds: float
    crashes: int
    histories: int
    history_seconds: float
    history_limit: float
    backlog: int
    large_batch: int
    random: bool
    crowds: bool = True
    shrink: bool = True
    shrink_seconds: float = 10.0
    seed: int = 0


_STANDARD = Profile(
    programs=1_500,
    program_seconds=300.0,
    steps=60,
    rounds=300,
    schedules=600,
    places=200,
    schedule_seconds=120.0,
    crashes=100,
    histories=100,
    history_seconds=5.0,
    history_limit=60.0,
    backlog=20_000,
    large_batch=100_000,
    random=True,
    shrink_seconds=60.0,
)

PROFILES: dict[ProfileName, Profile] = {
    "quick": Profile(
        programs=80,
        program_seconds=60.0,
        steps=40,
        rounds=45,
        schedules=16,
        places=8,
        schedule_seconds=15.0,
        crashes=3,
        histories=10,
        history_seconds=0.3,
        history_limit=10.0,
        backlog=5_000,
        large_batch=10_000,
        random=False,
    ),
    "standard": _STANDARD,
    "soak": _STANDARD,
}
"""A soak repeats the standard profile with new seeds."""

BUDGETS: dict[ProfileName, float] = {"quick": 60, "standard": 600}
"""How many seconds a run may take on two cores and one file; the caller chooses the duration of a soak."""
