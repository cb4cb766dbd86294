"""Run generated programs, and find every clause that they break."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import cast

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from ...contract.clauses import CLAUSES
from ...harness.constants import no_local_constants
from ...harness.pace import Pace
from ...harness.profiles import Profile
from ...harness.violation import Violation
from ...subject.target import Target
from .judge import Judge
from .machine import Machine

MODEL_CLAUSES = tuple(clause.id for clause in CLAUSES.values() if clause.tier == "model")
"""The clauses that generated programs test."""

_FLOOR = 4
"""At least one in so many of a profile's programs runs, regardless of time."""

_ROUNDS = 6
"""How often programs are generated, each time without the clauses that were broken before."""


def violations(target: Target, profile: Profile, start: datetime, judge: Judge) -> Iterator[Violation]:
    """Yield violations of different clauses, each with the shortest program found."""
    for _ in range(_ROUNDS):
        violation = _violation(target, profile, start, judge)
        if violation is None:
            return
        yield violation
        judge.armed = [clause for clause in judge.armed if clause != violation.clause_id]


def run(target: Target, profile: Profile, start: datetime, armed: Collection[str] = MODEL_CLAUSES) -> Judge:
    """Run generated programs, and raise the first violation; return the judge."""
    judge = Judge(armed)
    for violation in violations(target, profile, start, judge):
        raise violation
    return judge


def _violation(target: Target, profile: Profile, start: datetime, judge: Judge) -> Violation | None:
    judge.shortest = None
    pace = Pace(profile.program_seconds, kinds=1)
    pace.begin()
    judge.paces.append(pace)

    def program() -> Machine:
        judge.on_program()
        if judge.shortest is None:
            over = not pace.affords_another(least=profile.programs // _FLOOR)
        else:
            over = judge.seconds_of_shrinking() > profile.shrink_seconds
        return Machine(target, judge, start, crowds=profile.crowds, over=over)

    try:
        with no_local_constants():
            run_state_machine_as_test(
                cast("type[Machine]", seed(profile.seed + start.year)(program)),  # Hypothesis accepts any factory
                settings=settings(
                    max_examples=profile.programs,
                    stateful_step_count=profile.steps,
                    database=None,
                    deadline=None,
                    phases=[Phase.generate, Phase.shrink] if profile.shrink else [Phase.generate],
                    suppress_health_check=list(HealthCheck),
                    verbosity=Verbosity.quiet,
                    report_multiple_bugs=False,
                    print_blob=False,
                ),
            )
    except Violation as violation:
        return violation
    except Flaky as flaky:  # the time for shrinking ended, or the backend chose otherwise in the repetition
        return judge.shortest or first_violation(flaky)
    return None


def first_violation(exc: BaseException) -> Violation:
    """Return the violation inside the exception that Hypothesis raises for a flaky program."""
    found = [exc]
    for one in found:
        if isinstance(one, Violation):
            return one
        inner = one.exceptions if isinstance(one, BaseExceptionGroup) else (one.__cause__, one.__context__)
        found += [cause for cause in inner if cause is not None]
    raise exc
