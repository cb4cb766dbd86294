"""Replay the traces that earlier runs kept."""

from collections.abc import Collection, Iterator
from pathlib import Path

from ..contract.clauses import CLAUSES
from ..harness.trace import Trace, read
from ..harness.violation import Violation
from ..reports.result import Result, Status
from .replay import OnCall, replay
from .run_clauses import run_examples, run_programs
from .session import Session


def replayed(
    session: Session, folder: Path | None, ids: Collection[str], fixed: list[str], *, forget: bool
) -> Iterator[Result]:
    """Replay the traces of these clauses; yield a result for each violation, and add the files of others to `fixed`.

    Raises:
        ConfigurationError: This kit cannot read a trace.
    """
    broken = set()
    for path, trace in read(folder) if folder is not None else ():
        if trace.clause_id not in ids or trace.clause_id in broken:
            continue
        violation = again(session, trace)
        if violation is None:
            fixed.append(path.name)
            if forget:
                path.unlink()
        else:
            broken.add(trace.clause_id)
            detail = f"{violation}\n  seen again when {path.name} was replayed"
            result = Result(trace.clause_id, Status.VIOLATED, detail, violation=violation, raised=violation.raised)
            yield session.noted(result)


def again(session: Session, trace: Trace, on_call: OnCall = lambda number, call: None) -> Violation | None:
    """Replay a trace; return the violation that it shows again, or None. A trace without calls runs its clause."""
    id = trace.clause_id
    if trace.calls:
        failing = replay(session.target, trace.calls, id, on_call=on_call)
        return failing and Violation(id, failing.violation.expected, failing.violation.observed, trace.calls)
    profile = session.profile._replace(seed=trace.seed)
    violation = run_examples(id, session.target, profile, session.capabilities).violation
    if violation is None and CLAUSES[id].tier == "model":
        results = run_programs(session.target, profile, [id])
        violation = next((result.violation for result in results if result.violation), None)
    return violation
