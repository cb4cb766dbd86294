"""Small programs and schedules for two or three workers, which Hypothesis generates and shrinks."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from ...gates import Stuck, Turn
from ...harness.case import LEASE, Case, example
from ...harness.constants import no_local_constants
from ...harness.pace import Pace, share
from ...harness.violation import Violation
from ..programs.run import first_violation
from .explore import require, seen
from .play import Schedule, Stage
from .program import (
    IDS,
    Call,
    Calls,
    Program,
    cancel,
    claim,
    complete,
    delete,
    discard,
    extend,
    give_up,
    insert,
    pause,
    purge,
    release,
    requeue,
    rescue,
    resume,
    retry,
    settle,
)

_WORKERS = ("a", "b", "c")
_slots = st.integers(0, len(IDS) - 1)
_attempts = st.sampled_from([1, 1, 1, 2])
_times = st.sampled_from([timedelta(0), LEASE, LEASE, 2 * LEASE])
_outcomes = st.builds(
    lambda make, slot, attempt: make(slot, attempt),
    st.sampled_from([complete, retry, discard, release, give_up]),
    _slots,
    _attempts,
)


def _at(make: Callable[..., Call], **strategies: st.SearchStrategy[object]) -> st.SearchStrategy[Call]:
    return st.builds(make, at=_times, **strategies)


_policies = st.sampled_from(["replace", "debounce"])
_calls: st.SearchStrategy[Call] = st.one_of(
    _at(claim, limit=st.sampled_from([1, 2, 9]), worker=st.just("w")),
    st.builds(lambda outcomes, at: settle(*outcomes, at=at), st.lists(_outcomes, min_size=1, max_size=2), _times),
    _at(rescue, limit=st.sampled_from([1, 9])),
    _at(extend, slot=_slots, attempt=_attempts),
    st.builds(lambda slot, at: cancel(slot, at=at), _slots, _times),
    st.builds(lambda slot, at: requeue(slot, at=at), _slots, _times),
    st.builds(delete, _slots),
    _at(purge),
    st.builds(lambda slot, key, at: insert(slot, unique_key=key, at=at), _slots, st.sampled_from([None, "k"]), _times),
    st.builds(lambda slot, policy: insert(slot, unique_key="k", on_conflict=policy), _slots, _policies),
    st.builds(pause),
    st.builds(resume),
)
_stocks: st.SearchStrategy[Calls] = st.sampled_from(
    [
        (insert(0), claim()),
        (insert(0, 1),),
        (insert(0, 1), claim(1)),
        (insert(0, unique_key="k"), claim()),
        (insert(0), claim(), settle(complete())),
        (insert(0, max_attempts=1), claim(), cancel(0)),
    ]
)


_todo: st.SearchStrategy[Calls] = st.lists(_calls, min_size=1, max_size=2).map(tuple)
_programs = st.builds(
    lambda before, *todo: Program(before, dict(zip(_WORKERS, todo, strict=True))),
    _stocks,
    _todo,
    _todo,
    st.just(()) | _todo,
)
_turns = st.tuples(st.integers(0, 2), st.integers(1, 6) | st.integers(1, 60))


def _schedule(turns: list[tuple[int, int]]) -> Schedule:
    return [Turn(_WORKERS[worker], steps) for worker, steps in turns]


@example("SCHED-08")
def drawn_programs_interleave(case: Case) -> None:
    """Generated programs of all calls, for two and three workers, have histories that some order explains."""
    with Stage(case.target, seen(case.target), _WORKERS) as stage:
        _run(case, stage)


def _run(case: Case, stage: Stage) -> None:
    pace = Pace(case.profile.schedule_seconds, kinds=1)
    pace.begin()
    broken = False

    def run(program: Program, turns: list[tuple[int, int]]) -> None:
        nonlocal broken
        if not broken and not pace.affords_another(least=case.profile.schedules // 5):
            return
        schedule = _schedule(turns)
        try:
            require(case, schedule, stage.play(program, schedule))
        except Stuck as stuck:
            case.that(False, "calls that end", str(stuck))
        except Violation:
            broken = True  # Hypothesis shrinks from now on, and a skipped program would mislead it
            raise

    test = given(_programs, st.lists(_turns, max_size=5))(run)
    test = settings(
        max_examples=case.profile.schedules,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if case.profile.shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        print_blob=False,
    )(test)
    try:
        with no_local_constants():
            seed(case.profile.seed + 1)(test)()
    except Flaky as flaky:  # a worker was blocked for a moment in one of the runs
        raise first_violation(flaky) from flaky
    case.shares.append(share(pace, what="schedules"))
