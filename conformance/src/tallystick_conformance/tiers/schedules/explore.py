"""The schedules in which a program is run, and the checks of each run."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil

from ...gates import NoSteps, Run, StepObserver, Stuck, Turn, steps_of
from ...harness.case import Case, NotRun
from ...harness.pace import Pace, share
from ...history.check import check
from ...history.operation import Operation
from ...subject.target import Target
from .play import Played, Schedule, Stage, lines
from .program import Program

Also = Callable[[Case, Sequence[Operation]], None]

_FEW = 24
"""Up to this many steps, each is tried. More steps are lines of Python, for which the kit sees when a lock is free."""


def seen(target: Target) -> StepObserver:
    """Return the steps of the backend under test, or raise NotRun if the kit sees none."""
    try:
        return steps_of(target)
    except NoSteps as reason:
        raise NotRun(f"the kit sees no steps of this backend: {reason}") from reason


def interleave(
    case: Case, *programs: Program, shared: bool = False, places: int = 0, also: Also = lambda case, history: None
) -> None:
    """Run programs for two workers in many interleavings, and require that each history has an explanation.

    Args:
        shared: Whether the workers share a client. Nothing is run if only the client identifies the worker of a step.
        places: How many steps of a long program to try; by default the profile decides.
        also: An additional check of each history.
    """
    steps = seen(case.target)
    if shared and not steps.by_thread:
        return
    pace = Pace(case.profile.schedule_seconds, kinds=2 * len(programs))
    with Stage(case.target, steps, programs[0].workers, shared=shared) as stage:
        for program in programs:
            try:
                for schedule, played in explore(stage, program, pace, places=places or case.profile.places):
                    require(case, schedule, played)
                    also(case, played.history)
            except Stuck as stuck:
                case.that(False, "calls that end", str(stuck))
    case.shares.append(share(pace, what="schedules"))


def require(case: Case, schedule: Schedule, played: Played) -> None:
    """Require that each call returned, and that the history has an explanation."""
    turns = ", ".join(f"{turn.worker} {'to its end' if turn.steps is None else turn.steps}" for turn in schedule)
    case.steps[:] = [*lines(played.history), f"# turns, in steps: {turns}"]
    for made in played.history:
        if made.error is not None and not made.failed:
            case.unanswered(made.error)
    for finding in check(played.history, precision=case.capabilities.time_precision):
        case.that(False, "results that some order of these calls explains", f"{finding.text} ({finding.rule})")


def explore(stage: Stage, program: Program, pace: Pace, *, places: int) -> Iterator[tuple[Schedule, Played]]:
    """For each worker, run a program with its calls first, and then with it pre-empted by each other at each step.

    So the steps are those of calls that no other worker precedes: a call may take fewer steps after another.

    A worker that is pre-empted while it holds a lock blocks the other worker until it releases the lock. The result is
    the same for each step up to the release, so only the first of these steps is tried. About `places` of many steps
    are tried. If time is short, the remaining steps are thinned out evenly: see `Pace`.
    """
    for first in program.workers:
        others = [name for name in program.workers if name != first]
        alone: list[Turn] = [Turn(name, None) for name in (first, *others)]
        played = stage.play(program, alone)
        yield alone, played
        count = played.run.steps[first]
        stride = 1 if count <= _FEW else ceil(count / places)
        for second in others:
            n = 1
            pace.begin()
            while n < count:
                schedule = [Turn(first, n), Turn(second, None), Turn(first, None)]
                overtaken = stage.play(program, schedule)
                yield schedule, overtaken
                n = n if count <= _FEW else max(n, _freed(overtaken.run, first, second, n) - stride)
                n += stride * pace.stride(max(0, ceil((count - n) / stride) - 1))


def _freed(run: Run, first: str, second: str, n: int) -> int:
    """Return the number of steps of `first` after which `second`, blocked since step `n`, continued."""
    taken = 0
    for worker in run.order:
        if worker == first:
            taken += 1
        elif worker == second and taken > n:
            return taken - 1
    return n
