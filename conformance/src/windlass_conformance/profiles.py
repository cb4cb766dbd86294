"""How much is tested."""

from typing import Literal, NamedTuple

ProfileName = Literal["quick", "standard"]


class Profile(NamedTuple):
    """The size of a run.

    Args:
        programs: Generated programs for each start of the virtual clock.
        steps: Calls in each program, at most.
        rounds: Rounds of each race.
        large_batch: The most items that are put in one batch.
        random: Whether each run tries other programs, or the same ones.
        shrink: Whether a program that fails is made shorter.
    """

    programs: int
    steps: int
    rounds: int
    large_batch: int
    random: bool
    shrink: bool = True


PROFILES: dict[ProfileName, Profile] = {
    "quick": Profile(programs=120, steps=40, rounds=60, large_batch=10_000, random=False),
    "standard": Profile(programs=1_500, steps=60, rounds=300, large_batch=100_000, random=True),
}
