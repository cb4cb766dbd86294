"""Replay the traces that earlier runs kept."""

from collections.abc import Collection, Iterator
from pathlib import Path

from ..clauses import CLAUSES
from ..report import Result, Status
from ..running import run_examples, run_programs
from ..session import Session
from ..violation import Violation
from .replay import replay
from .traces import Trace, read


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
        violation = _again(session, trace)
        if violation is None:
            fixed.append(path.name)
            if forget:
                path.unlink()
        else:
            broken.add(trace.clause_id)
            detail = f"{violation}\n  seen again when {path.name} was replayed"
            yield session.noted(Result(trace.clause_id, Status.VIOLATED, detail, violation=violation))


def _again(session: Session, trace: Trace) -> Violation | None:
    if trace.steps:
        failing = replay(session.target, trace.steps, trace.clause_id)
        if failing is None:
            return None
        return Violation(trace.clause_id, failing.violation.expected, failing.violation.observed, trace.steps)
    id, profile = trace.clause_id, session.profile._replace(seed=trace.seed)
    violation = run_examples(id, session.target, profile, session.capabilities).violation
    if violation is None and CLAUSES[id].tier == "model":
        results = run_programs(session.target, profile, [id])
        violation = next((result.violation for result in results if result.violation), None)
    return violation
