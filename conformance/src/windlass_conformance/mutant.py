"""Known-bad backends, and whether the kit catches each by the clause that it breaks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter

from windlass import Backend

from .engine import run_examples
from .machine import STARTS
from .profiles import PROFILES
from .programs import MODEL_CLAUSES, run
from .report import Status
from .target import Target
from .violation import Violation

_ROUNDS = 1_000
"""Rounds of a race against a mutant: many, since losing a race is luck, and cheap, since most lose one of the first."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A backend with one bug.

    Args:
        name: What the bug is called, in a few words.
        clause: The id of the clause that it breaks.
        bug: One sentence on what it does wrong.
        source: Where such a bug was seen: its id in the kit's list of bugs that real backends shipped.
        make: Returns the broken class; called only when the mutant is run.
        url: A URL for that class.
    """

    name: str
    clause: str
    bug: str
    source: str
    make: Callable[[], type[Backend]]
    url: str = "memory://"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: `killed` when its clause was violated; a crash does not count."""

    mutant: Mutant
    killed: bool
    detail: str
    seconds: float


def judge(mutants: Iterable[Mutant]) -> list[Verdict]:
    """Run each mutant under its own clause, with all others unarmed."""
    return [judge_one(mutant) for mutant in mutants]


def judge_one(mutant: Mutant) -> Verdict:
    """Run one mutant: first the examples of its clause, then generated programs with only that clause armed."""
    started = perf_counter()
    violation, detail = _violation(Target.from_class(mutant.make(), mutant.url), mutant.clause)
    return Verdict(mutant, violation is not None, str(violation or detail), perf_counter() - started)


def _violation(target: Target, clause_id: str) -> tuple[Violation | None, str]:
    profile = PROFILES["quick"]._replace(rounds=_ROUNDS, shrink=False)
    result = run_examples(clause_id, target, profile, target.probe())
    if result.violation is not None or clause_id not in MODEL_CLAUSES:
        return result.violation, "survived" if result.status is Status.PASSED else result.detail
    try:
        for start in STARTS.values():
            run(target, profile, start, armed=[clause_id])
    except Violation as violation:
        return violation, ""
    except Exception as exc:
        return None, f"crashed: {exc!r}"
    return None, "survived"
