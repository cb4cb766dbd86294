"""Measure the works of a benchmark in turn, round by round."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from .results import Result
from .session import Session, Sizes
from .works import Work


def measure(
    url: str, works: Sequence[Work], *, sizes: Sizes, rounds: int, report: Callable[[str], None]
) -> list[Result]:
    """Do all works once in each round, so that a slow minute of the machine affects all of them.

    Args:
        url: The store beside which new stores are created. They are removed at the end, whatever happens.
        works: The works. Those that the store does not allow are left out.
        sizes: How much to measure.
        rounds: The number of rounds.
        report: Called with the progress.
    """
    with ExitStack() as stack:
        session = Session(url, sizes, stack=stack, report=lambda text: None)
        works = [work for work in works if work.is_possible(session.capabilities)]
        figures: dict[str, list[list[float]]] = {work.name: [] for work in works}
        for number in range(rounds):
            for work in works:
                now = f"round {number + 1} of {rounds}: {work.name}"
                session.report = partial(_within, report, now)
                report(now)
                figures[work.name].append(work.run(session))
    return [
        Result(f"{work.name} {row}".rstrip(), work.unit, tuple(column), work.limit)
        for work in works
        for row, column in zip(work.rows, zip(*figures[work.name], strict=True), strict=True)
    ]


def _within(report: Callable[[str], None], work: str, text: str) -> None:
    report(f"{work}: {text}")
