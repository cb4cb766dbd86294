"""Generated programs: they reach the interesting cases, and failing ones are reported."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest
from support import PATIENCE
from tallystick import Backend, Complete, Filter, Hold, Outcome, Record, Release, Retry, State
from tallystick_conformance import Target
from tallystick_conformance.harness.profiles import PROFILES
from tallystick_conformance.running.run_clauses import run_programs
from tallystick_conformance.tiers.programs.judge import Judge
from tallystick_conformance.tiers.programs.machine import STARTS
from tallystick_conformance.tiers.programs.run import run, violations
from tallystick_memory import MemoryBackend
from tallystick_mutants.memory.time import ClaimsLate


class Counting(MemoryBackend):
    """Counts the results of its calls."""

    seen: ClassVar[Counter[Any]] = Counter()

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        """Count outcomes by type, by whether they were applied, and by the form of their time."""
        answers = super().settle(outcomes, transaction=transaction, now=now)
        for outcome, applied in zip(outcomes, answers, strict=True):
            self.seen[type(outcome), applied, type(getattr(outcome, "run_at", None))] += 1
        return answers

    def extend(self, *args: Any, **options: Any) -> Sequence[Hold]:
        """Count the returned holds."""
        holds = super().extend(*args, **options)
        self.seen.update(holds)
        return holds

    def rescue(self, **options: Any) -> Sequence[Record]:
        """Count the rescued records by state."""
        rescued = super().rescue(**options)
        self.seen.update(("rescue", record.state.value) for record in rescued)
        return rescued


def test_programs_come_to_what_they_test() -> None:
    """The quick profile applies each outcome with each form of time, and reaches each hold and each end of a rescue."""
    run(Target.from_class(Counting, "memory://"), PROFILES["quick"]._replace(program_seconds=PATIENCE), STARTS["2001"])

    for outcome, times in ((Complete, [None]), (Retry, [datetime, timedelta]), (Release, [datetime, timedelta, None])):
        for time in times:
            kind = type(None) if time is None else time
            assert Counting.seen[outcome, True, kind] >= 5, (outcome, kind, Counting.seen)
    for met in (*Hold, ("rescue", "retrying"), ("rescue", "discarded"), ("rescue", "cancelled")):
        assert Counting.seen[met] >= 5, (met, Counting.seen)


class Recording(MemoryBackend):
    """Records the jobs that it inserts."""

    inserted: ClassVar[list[Any]] = []

    def insert(self, records: Any, **options: Any) -> Any:
        """Record and insert."""
        self.inserted.extend(records)
        return super().insert(records, **options)


def test_programs_depend_on_the_seed_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs stay the same when a module is imported with constants that Hypothesis could draw.

    For each program, Hypothesis draws a number up to 254, which decides how many of the rules it uses.
    """
    (tmp_path / "constants_of_a_user.py").write_text(f"NUMBERS = {[*range(100, 255)]}")
    monkeypatch.syspath_prepend(tmp_path)
    profile = PROFILES["quick"]._replace(programs=40, steps=6, crowds=False)

    def drawn() -> list[Any]:
        Recording.inserted.clear()
        for seed in range(4, 8):
            run(Target.from_class(Recording, "memory://"), profile._replace(seed=seed), STARTS["2001"])
        return [*Recording.inserted]

    before = drawn()
    import_module("constants_of_a_user")
    assert drawn() == before


def test_making_a_program_shorter_ends_in_time() -> None:
    """On a store that is too slow for shrinking, the failing program is reported unshrunk."""

    class ForgetsRunAt(MemoryBackend):
        def insert(self, records: Any, **options: Any) -> Any:
            return super().insert([replace(record, run_at=None) for record in records], **options)

    target = Target.from_class(ForgetsRunAt, "memory://slow")
    profile = PROFILES["quick"]._replace(shrink_seconds=0.0)
    violation = next(violations(target, profile, STARTS["2001"], Judge(["INSERT-02"])))

    assert violation.clause_id == "INSERT-02"
    assert violation.steps[-1].startswith("backend.insert(")


class ClaimsOneFewer(MemoryBackend):
    """Omits the last of several claimable jobs."""

    def claim(self, queues: Any, *, limit: int, **options: Any) -> Any:
        """Claim one job too few, but at least one."""
        return super().claim(queues, limit=max(1, min(limit, len(self.list(Filter(), limit=9)) - 1)), **options)


class RescuesOneFewer(MemoryBackend):
    """Omits the last of several jobs that it could rescue."""

    def rescue(self, *, limit: int, now: Any = None) -> Any:
        """Rescue one job too few, but at least one."""
        running = self.stats(now=now).by_state[State.RUNNING]
        return super().rescue(limit=max(1, min(limit, running - 1)), now=now)


class RescuesLate(MemoryBackend):
    """Treats a lease that ends exactly now as still held."""

    def rescue(self, *, limit: int, now: Any = None) -> Any:
        """Rescue jobs with a lease that expired a tick ago."""
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
    """Too few jobs violate the clause on their number, even if the missing job is due exactly now."""
    profile = PROFILES["quick"]._replace(shrink=False)
    armed = ["CLAIM-07", "RESCUE-05", "TIME-01", "TIME-02"]
    found = run_programs(Target.from_class(backend, "memory://"), profile, armed)

    assert {result.clause_id for result in found if result.violation} == {clause}
