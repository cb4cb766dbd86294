"""Which schedules of a program are tried, and what must come of each."""

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from math import ceil

from ..case import Case, NotRun
from ..gates import NoSteps, Run, Steps, Stuck, Turn, steps_of
from ..history.check import check
from ..history.operation import Operation
from ..pace import Pace, share
from ..target import Target
from .play import Played, Schedule, Stage, lines
from .program import Program

Also = Callable[[Case, Sequence[Operation]], None]

_FEW = 24
"""With up to so many steps, each is tried. With more they are lines of Python, where a lock that comes free is seen."""


def seen(target: Target) -> Steps:
    """Return the steps of the backend under test."""
    try:
        return steps_of(target)
    except NoSteps as reason:
        raise NotRun(f"no gate sees the steps of this backend: {reason}") from reason


def judge(
    case: Case, *programs: Program, shared: bool = False, places: int = 0, also: Also = lambda case, history: None
) -> None:
    """Make programs for two workers in many interleavings, and require that each history has an explanation.

    Where they share a client, its steps have to be told by the thread that takes them. `also` may require more.
    `places` is the profile's unless given.
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
    """Require that a history has an explanation, and that every call was answered."""
    turns = ", ".join(f"{turn.worker} {'to its end' if turn.steps is None else turn.steps}" for turn in schedule)
    case.steps[:] = [*lines(played.history), f"# turns, in steps: {turns}"]
    for made in played.history:
        if made.error is not None and not made.failed:
            case.unanswered(made.error)
    for finding in check(played.history, precision=case.capabilities.time_precision):
        case.that(False, "answers that some order of these calls gives", f"{finding.text} ({finding.rule})")


def explore(stage: Stage, program: Program, pace: Pace, *, places: int) -> Iterator[tuple[Schedule, Played]]:
    """Make a program once without pre-emption, and then with one, of each worker by each other, at each step.

    A worker that is overtaken while it holds a lock blocks the other until it has let go, and so it does at each step
    up to there: of many such steps the first is tried. Of many steps in all, about `places` are. Where time is short,
    the rest is thinned out evenly: see `Pace`.
    """
    alone: list[Turn] = [Turn(name, None) for name in program.workers]
    played = stage.play(program, alone)
    yield alone, played
    for first, second in permutations(program.workers, 2):
        n, count = 1, played.run.steps[first]
        stride = 1 if count <= _FEW else ceil(count / places)
        pace.begin()
        while n < count:
            schedule = [Turn(first, n), Turn(second, None), Turn(first, None)]
            overtaken = stage.play(program, schedule)
            yield schedule, overtaken
            n = n if count <= _FEW else max(n, _freed(overtaken.run, first, second, n) - stride)
            n += stride * pace.stride(max(0, ceil((count - n) / stride) - 1))


def _freed(run: Run, first: str, second: str, n: int) -> int:
    """Return after how many steps of the first the second, blocked after `n` of them, went on."""
    taken = 0
    for worker in run.order:
        if worker == first:
            taken += 1
        elif worker == second and taken > n:
            return taken - 1
    return n
