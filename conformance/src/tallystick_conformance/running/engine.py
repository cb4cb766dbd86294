"""The engine behind every entry point: run clauses on a target, and report each."""

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from secrets import randbits
from time import monotonic

from ..contract.clauses import CLAUSES, family, selected
from ..harness.children import require_guarded
from ..harness.profiles import BUDGETS, PROFILES, ProfileName
from ..harness.trace import keep
from ..harness.violation import Violation
from ..reports.report import Report
from ..reports.result import Result, Status
from ..subject.exceptions import is_interrupt
from ..subject.first_look import looked_at
from ..subject.target import MakeBackend, Target
from ..tiers.programs.run import MODEL_CLAUSES
from .known import KnownFailures, checked
from .replay import trace_of
from .run_clauses import run_programs
from .run_in_two import run_in_two
from .session import Session
from .traces import replayed

OnProgress = Callable[[Result], None]
OnStart = Callable[[str], None]

_MAY_STILL_FAIL = (Status.PASSED, Status.NOT_REACHED, Status.NOT_RUN)


class Interrupted(KeyboardInterrupt):
    """The run was interrupted. All stores were removed, and `report` has the findings so far."""

    def __init__(self, report: Report) -> None:
        super().__init__("the conformance run was interrupted")
        self.report = report


def conform(
    target: str | MakeBackend | Target,
    *,
    profile: ProfileName = "quick",
    only: Collection[str] = (),
    known_failures: KnownFailures | None = None,
    everything: bool = False,
    seed: int | None = None,
    minutes: float = 60,
    traces: Path | None = None,
    forget: bool = False,
    on_progress: OnProgress | None = None,
    on_start: OnStart | None = None,
) -> Report:
    """Test a backend against the contract.

    Args:
        target: A backend's URL, or a function that opens a client of the store with a given namespace.
        profile: How much to test: `quick` takes up to a minute.
        only: The clauses to test, by id or by family (`CLAIM`); all if empty.
        known_failures: Clauses that may fail, each with a link. A known failure that passes is an error.
        everything: Whether to judge the rest of a family after one of its clauses failed.
        seed: The seed of all random choices; None lets the profile choose one, which the report contains.
        minutes: The duration of a soak.
        traces: A folder of traces to replay first. New traces are stored there.
        forget: Whether to delete a trace that no longer shows a violation.
        on_progress: Called with each clause's result as soon as it is known.
        on_start: Called with a description of the next test.

    Raises:
        ConfigurationError: The backend is incomplete, a clause does not exist, or the main program calls the kit
            without `if __name__ == "__main__":`.
        TallystickError: The store cannot be opened or set up.
        Interrupted: The run got a KeyboardInterrupt. The exception has the report with the findings so far.
    """
    require_guarded()
    began = monotonic()
    target = Target.of(target)
    known = checked(known_failures or {})
    ids = selected(only or CLAUSES)
    subject = looked_at(target)
    if seed is None:
        seed = randbits(32) if PROFILES[profile].random else 0
    size = PROFILES[profile]._replace(seed=seed)
    session = Session(target, size, subject.capabilities, known, everything, on_start or (lambda what: None))
    budget = minutes * 60 if profile == "soak" else BUDGETS[profile]
    report = Report(subject, profile, seed, [], datetime.now(UTC), budget_seconds=budget)
    found: dict[str, Result] = {}
    try:
        with closing(_results(session, ids, report, traces, began + budget, forget=forget)) as results:
            for result in results:
                found[result.clause_id] = _with_trace(result, session, profile, traces)
                if on_progress is not None:
                    on_progress(found[result.clause_id])
    except BaseException as exc:
        if not is_interrupt(exc):
            raise
        report.interrupted = True
        target.clean(exc)
    finally:
        target.clean()
    report.results = [found.get(id, Result(id, Status.NOT_RUN, "the run was interrupted")) for id in ids]
    report.ways = session.ways
    report.seconds = monotonic() - began
    if report.interrupted:
        raise Interrupted(report)
    return report


def _results(
    session: Session, ids: Sequence[str], report: Report, folder: Path | None, until: float, *, forget: bool
) -> Generator[Result]:
    """Yield the results of old traces, then those of the clauses; a soak repeats with new seeds until its time ends."""
    open_ids = set(ids)
    for result in chain(
        replayed(session, folder, ids, report.fixed, forget=forget), _judged(session, ids, open_ids, report, until)
    ):
        if result.status not in _MAY_STILL_FAIL:
            open_ids.discard(result.clause_id)
        yield result


def _judged(
    session: Session, ids: Sequence[str], open_ids: Collection[str], report: Report, until: float
) -> Iterator[Result]:
    run = run_in_two if session.capabilities.multi_process and len(ids) == len(CLAUSES) else Session.run
    yield from run(session, [id for id in ids if id in open_ids])
    while report.profile == "soak" and open_ids:
        session.profile = session.profile._replace(seed=session.profile.seed + 1)
        for result in run(session, [id for id in ids if id in open_ids]):
            if result.status is not Status.NOT_REACHED:
                yield result
            if monotonic() > until:
                return


def _with_trace(result: Result, session: Session, profile: ProfileName, folder: Path | None) -> Result:
    if result.violation is None:
        return result
    trace = trace_of(session.target, result.violation, profile, session.profile.seed)
    if not trace.calls and (generated := _generated(result.clause_id, session)):
        trace = trace_of(session.target, generated, profile, session.profile.seed)
    if folder is not None:
        keep(trace, folder)
    return replace(result, trace=trace)


def _generated(id: str, session: Session) -> Violation | None:
    """Return a violation from a generated program if there is one: it is shorter than most examples."""
    is_testable = id in MODEL_CLAUSES and (
        family(id) == "CALL" or "CALL" not in session.first
    )  # after a CALL violation, programs end early
    results = run_programs(session.target, session.profile._replace(crowds=False), [id]) if is_testable else ()
    return next((result.violation for result in results if result.violation), None)
