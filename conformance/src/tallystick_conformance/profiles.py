"""How much is tested."""

from typing import Literal, NamedTuple

ProfileName = Literal["quick", "standard", "soak"]


class Profile(NamedTuple):
    """The size of a run.

    Args:
        programs: Generated programs for each start of the virtual clock.
        program_seconds: The time limit for them. Where it ends first, fewer are run, but at least a quarter.
        steps: Calls in each program, at most.
        rounds: Rounds of each race.
        schedules: Small concurrent programs that are drawn, each with a schedule.
        places: The most steps, spread evenly, at which one worker of a program is overtaken by another.
        schedule_seconds: The time limit for each example about schedules. Where it ends first, fewer are tried.
        crashes: Steps of each call at which a process is killed, at most.
        histories: The least rounds for each rule of the history checker.
        history_seconds: For how long further rounds follow on a fast store.
        history_limit: The time limit for them. Where it ends first, fewer are run.
        backlog: Jobs of each kind among which a claim must cost no more than among a few.
        large_batch: The most items that are put in one batch.
        random: Whether a run that is given no seed draws one, or tries the same programs each time.
        crowds: Whether one program in twelve begins with more than a hundred jobs.
        shrink: Whether a program that fails is made shorter.
        shrink_seconds: For how long, at most.
        seed: What all drawing begins from.
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
"""A soak runs the standard profile with other seeds, again and again."""

BUDGETS: dict[ProfileName, float] = {"quick": 60, "standard": 600}
"""The most seconds that a run should take on two cores and one file; a soak takes the minutes that it is given."""
