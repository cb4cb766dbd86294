"""Generated programs: they come to what is to be tested, and do not only call it; what is told of one that fails."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from support import PATIENCE
from tallystick import Backend, Complete, Filter, Hold, Outcome, Record, Release, Retry, State
from tallystick_conformance import Target
from tallystick_conformance.profiles import PROFILES
from tallystick_conformance.programs.judge import Judge
from tallystick_conformance.programs.machine import STARTS
from tallystick_conformance.programs.run import run, violations
from tallystick_conformance.running import run_programs
from tallystick_memory import MemoryBackend
from tallystick_mutants.memory_claims import ClaimsLate


class Counting(MemoryBackend):
    """Counts what its calls came to."""

    seen: ClassVar[Counter[Any]] = Counter()

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        """Count outcomes by kind, whether they were applied, and what their time was."""
        answers = super().settle(outcomes, transaction=transaction, now=now)
        for outcome, applied in zip(outcomes, answers, strict=True):
            self.seen[type(outcome), applied, type(getattr(outcome, "run_at", None))] += 1
        return answers

    def extend(self, *args: Any, **options: Any) -> Sequence[Hold]:
        """Count answers."""
        holds = super().extend(*args, **options)
        self.seen.update(holds)
        return holds

    def rescue(self, **options: Any) -> Sequence[Record]:
        """Count by what came of it."""
        rescued = super().rescue(**options)
        self.seen.update(("rescue", record.state.value) for record in rescued)
        return rescued


def test_programs_come_to_what_they_test() -> None:
    """In the quick profile each outcome, with each sort of time, is applied, and each answer and end is met."""
    run(Target.from_class(Counting, "memory://"), PROFILES["quick"]._replace(program_seconds=PATIENCE), STARTS["2001"])

    for outcome, times in ((Complete, [None]), (Retry, [datetime, timedelta]), (Release, [datetime, timedelta, None])):
        for time in times:
            kind = type(None) if time is None else time
            assert Counting.seen[outcome, True, kind] >= 5, (outcome, kind, Counting.seen)
    for met in (*Hold, ("rescue", "retrying"), ("rescue", "discarded"), ("rescue", "cancelled")):
        assert Counting.seen[met] >= 5, (met, Counting.seen)


def test_making_a_program_shorter_ends_in_time() -> None:
    """On a store so slow that there is no time for it, the program that was found is told as it is."""

    class ForgetsRunAt(MemoryBackend):
        def insert(self, records: Any, **options: Any) -> Any:
            return super().insert([replace(record, run_at=None) for record in records], **options)

    target = Target.from_class(ForgetsRunAt, "memory://slow")
    profile = PROFILES["quick"]._replace(shrink_seconds=0.0)
    told = next(violations(target, profile, STARTS["2001"], Judge(["INSERT-02"])))

    assert told.clause_id == "INSERT-02"
    assert told.steps[-1].startswith("backend.insert(")


class ClaimsOneFewer(MemoryBackend):
    """Leaves out the last of several jobs that it could claim."""

    def claim(self, queues: Any, *, limit: int, **options: Any) -> Any:
        """Claim one job fewer than there are, though never none."""
        return super().claim(queues, limit=max(1, min(limit, len(self.list(Filter(), limit=9)) - 1)), **options)


class RescuesOneFewer(MemoryBackend):
    """Leaves out the last of several jobs that it could rescue."""

    def rescue(self, *, limit: int, now: Any = None) -> Any:
        """Rescue one job fewer than run, though never none."""
        running = self.stats(now=now).by_state[State.RUNNING]
        return super().rescue(limit=max(1, min(limit, running - 1)), now=now)


class RescuesLate(MemoryBackend):
    """Takes a lease that ends at this very moment to go on."""

    def rescue(self, *, limit: int, now: Any = None) -> Any:
        """Rescue what had expired a tick ago."""
        return super().rescue(limit=limit, now=now - timedelta(microseconds=1))


@pytest.mark.kit
@pytest.mark.parametrize(
    ("backend", "clause"),
    [
        (ClaimsOneFewer, "CLAIM-07"),
        (ClaimsLate, "TIME-01"),
        (RescuesOneFewer, "RESCUE-05"),
        (RescuesLate, "TIME-02"),
    ],
)
def test_the_edge_is_blamed_only_where_it_matters(backend: type[Backend], clause: str) -> None:
    """Too few jobs break the clause on how many, though the missing one happens to be due at this very moment."""
    profile = PROFILES["quick"]._replace(shrink=False)
    armed = ["CLAIM-07", "RESCUE-05", "TIME-01", "TIME-02"]
    found = run_programs(Target.from_class(backend, "memory://"), profile, armed)

    assert {result.clause_id for result in found if result.violation} == {clause}
