"""Generated programs: what is told of one that fails."""

from dataclasses import replace
from typing import Any

from windlass_conformance import Target
from windlass_conformance.judge import Judge
from windlass_conformance.machine import STARTS
from windlass_conformance.profiles import PROFILES
from windlass_conformance.programs import violations
from windlass_memory import MemoryBackend


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
