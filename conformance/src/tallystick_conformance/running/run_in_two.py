"""One pass over all clauses in two processes, which takes less time because most clauses wait for a disk or a lock."""

from collections.abc import Iterator, Sequence

from ..contract.clauses import CLAUSES
from ..harness.case import NotRun
from ..harness.children import sendable
from ..reports.result import Result
from .known import applied
from .second_process import Programs, Work, second_process
from .session import Session

TIERS = ("schedule", "history")
"""The tiers whose examples the second process runs before the generated programs: about half of all work.

They start no processes, and a family with a clause in one of them has none in another tier.
"""


def run_in_two(session: Session, ids: Sequence[str]) -> Iterator[Result]:
    """Yield a result for each clause, as `session.run` does.

    The second process assumes that generated programs must judge every clause of the model. If an example shows
    otherwise, or if the process ends early, this process does the work itself.
    """
    theirs = [id for id in ids if CLAUSES[id].tier in TIERS]
    models = [id for id in ids if CLAUSES[id].tier == "model"]
    work = _work(session, theirs, models)
    if work is None:
        yield from session.run(ids)
        return
    with second_process(work, lambda: session.on_start("clauses in a second process")) as next_answer:
        left = yield from session.run_examples(id for id in ids if id not in theirs)
        for id in theirs:
            answer = next_answer()
            result = session.noted(answer) if isinstance(answer, Result) else session.examples(id)
            yield applied(session.known, result)
        programs = next_answer() if session.open(left) == models else None
    if isinstance(programs, Programs):
        session.ways |= set(programs.ways)
    results = map(session.noted, programs.results) if isinstance(programs, Programs) else session.programs(left)
    for result in results:
        yield applied(session.known, result)


def _work(session: Session, examples: Sequence[str], programs: Sequence[str]) -> Work | None:
    """Describe the work of the second process. None if another process cannot open the target."""
    try:
        make = sendable(session.target.make)
    except NotRun:
        return None
    target = session.target
    return Work(
        examples,
        programs,
        make,
        target.name,
        target.url,
        session.profile,
        session.capabilities,
        session.known,
        session.everything,
        session.first,
    )
