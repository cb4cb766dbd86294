"""Run the examples of one clause, or the generated programs for many clauses."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from time import perf_counter

from tallystick import Capabilities

from ..contract.clauses import CLAUSES
from ..harness.case import Case, NotRun
from ..harness.children import UnguardedProgram
from ..harness.pace import share
from ..harness.profiles import Profile
from ..harness.shares import Share
from ..harness.violation import Violation
from ..reports.result import Result, Status
from ..subject.exceptions import described, origin
from ..subject.target import Target
from ..tiers.programs.judge import Judge
from ..tiers.programs.machine import STARTS
from ..tiers.programs.run import violations
from ..tiers.registered import EXAMPLES


def run_examples(id: str, target: Target, profile: Profile, capabilities: Capabilities) -> Result:
    """Run the examples of one clause."""
    started = perf_counter()
    level = CLAUSES[id].level
    if level != "core" and not getattr(capabilities, level):
        return Result(id, Status.NOT_DECLARED, f"the backend does not declare {level}")
    notices: dict[str, None] = {}
    shares: list[Share] = []
    try:
        for example in EXAMPLES.get(id, ()):
            with Case(id, target, profile) as case:
                example(case)
            notices[case.notice] = None
            shares += case.shares
    except Violation as violation:
        return _broken(id, violation, perf_counter() - started)
    except NotRun as reason:
        return Result(id, Status.NOT_RUN, str(reason))
    except UnguardedProgram:
        raise
    except NotImplementedError as exc:
        why = f"NotImplementedError was raised {origin(exc)}"
        return _failed(Result(id, Status.NOT_WRITTEN, why, perf_counter() - started), exc)
    except Exception as exc:
        why = f"{exc!r}, raised {origin(exc)}"
        return _failed(Result(id, Status.ERROR, why, perf_counter() - started), exc)
    seconds, noticed = perf_counter() - started, "; ".join(filter(None, notices))
    return Result(id, Status.PASSED, seconds=seconds, notice=noticed, shares=tuple(shares))


def _broken(id: str, violation: Violation, seconds: float) -> Result:
    """Return the result for a violation; a violation by NotImplementedError counts as not written."""
    cause = violation.__cause__
    if isinstance(cause, NotImplementedError) or violation.observed.startswith("NotImplementedError("):
        where = f" {origin(cause)}" if cause else ""
        return _failed(Result(id, Status.NOT_WRITTEN, f"NotImplementedError was raised{where}", seconds), violation)
    return Result(id, Status.VIOLATED, str(violation), seconds, violation, raised=violation.raised)


def _failed(result: Result, error: Exception) -> Result:
    return replace(result, error=error, raised=described(error))


def run_programs(
    target: Target, profile: Profile, armed: Collection[str], judge: Judge | None = None
) -> Iterator[Result]:
    """Run generated programs from each start of the virtual clock, and yield a result for each armed clause.

    Between two results, the caller may remove clauses from `judge.armed`; these get no further result.
    """
    judge = judge or Judge(armed)
    started = perf_counter()
    for start in STARTS.values():
        for violation in violations(target, profile, start, judge) if judge.armed else ():
            id = violation.clause_id
            yield _broken(id, violation, perf_counter() - started)
            if set(judge.armed) <= {id}:
                judge.armed = ()
                break
    seconds = (perf_counter() - started) / max(1, len(judge.armed))
    shares = (share(*judge.paces, what="programs"),)
    for id in judge.armed:
        status = Status.PASSED if judge.counts[id] else Status.NOT_REACHED
        yield Result(id, status, "" if judge.counts[id] else "no generated program tested it", seconds, shares=shares)
