"""The one engine behind every door: it runs clauses on a target and reports each."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from time import perf_counter
from traceback import extract_tb

from windlass import Capabilities

from . import examples, processes, races  # noqa: F401 - importing them registers their examples
from .case import EXAMPLES, Case, NotRun
from .clauses import CLAUSES
from .judge import Judge
from .machine import STARTS
from .profiles import PROFILES, Profile, ProfileName
from .programs import MODEL_CLAUSES, violations
from .report import Report, Result, Status
from .target import MakeBackend, Target
from .violation import Violation

OnProgress = Callable[[Result], None]


def conform(
    target: str | MakeBackend | Target,
    *,
    profile: ProfileName = "quick",
    only: Collection[str] = (),
    on_progress: OnProgress | None = None,
) -> Report:
    """Test a backend against the contract.

    Args:
        target: A backend's URL, or a function that opens a client of the store called by a namespace.
        profile: How much is tested: `quick` takes up to a minute.
        only: Ids of the clauses to test; empty is all.
        on_progress: Called with each clause's result as soon as it is known.

    Raises:
        WindlassError: The store cannot be opened or set up.
    """
    started = perf_counter()
    target = Target.of(target)
    capabilities = target.probe()
    ids = [id for id in CLAUSES if id in only or not only]
    results: dict[str, Result] = {}
    for result in _run(target, PROFILES[profile], capabilities, ids):
        results[result.clause_id] = result
        if on_progress is not None:
            on_progress(result)
    return Report(target.name, profile, capabilities, [results[id] for id in ids], perf_counter() - started)


def _run(target: Target, profile: Profile, capabilities: Capabilities, ids: list[str]) -> Iterator[Result]:
    by_example: dict[str, Result] = {}
    for id in ids:
        result = run_examples(id, target, profile, capabilities)
        if CLAUSES[id].tier != "model" or result.status in (Status.VIOLATED, Status.ERROR):
            by_example[id] = result
            yield result
    armed = [id for id in ids if id in MODEL_CLAUSES and id not in by_example]
    if armed:
        yield from run_programs(target, profile, armed)


def run_examples(id: str, target: Target, profile: Profile, capabilities: Capabilities) -> Result:
    """Run the examples of one clause."""
    started = perf_counter()
    level = CLAUSES[id].level
    if level != "core" and not getattr(capabilities, level):
        return Result(id, Status.NOT_DECLARED, f"the backend does not declare {level}")
    try:
        for example in EXAMPLES.get(id, ()):
            with Case(id, target, profile) as case:
                example(case)
    except Violation as violation:
        return Result(id, Status.VIOLATED, str(violation), perf_counter() - started, violation)
    except NotRun as reason:
        return Result(id, Status.NOT_RUN, str(reason))
    except Exception as exc:
        return Result(id, Status.ERROR, f"{exc!r}, raised at {_origin(exc)}", perf_counter() - started, error=exc)
    return Result(id, Status.PASSED, seconds=perf_counter() - started)


def _origin(exc: Exception) -> str:
    last = extract_tb(exc.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno} in {last.name}"


def run_programs(target: Target, profile: Profile, armed: Collection[str]) -> Iterator[Result]:
    """Run generated programs from each start of the clock, and yield a result for each armed clause."""
    judge = Judge(armed)
    started = perf_counter()
    for start in STARTS.values():
        for violation in violations(target, profile, start, judge):
            id = violation.clause_id
            yield Result(id, Status.VIOLATED, str(violation), perf_counter() - started, violation)
    seconds = (perf_counter() - started) / max(1, len(judge.armed))
    for id in judge.armed:
        status = Status.PASSED if judge.counts[id] else Status.NOT_REACHED
        yield Result(id, status, "" if judge.counts[id] else "no program came to test it", seconds)
