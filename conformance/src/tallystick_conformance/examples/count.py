"""Counts of matching records."""

from tallystick import Filter, NewRecord, State

from ..harness.case import Case, example


@example("COUNT-01")
def counts_of_many_are_bounded(case: Case) -> None:
    """Count returns at most at_most, which is 10,000 by default and may be a million."""
    case.insert(*(NewRecord(kind="ab"[n % 2]) for n in range(40)))
    for filter, size in ((Filter(), 40), (Filter(kinds=["a"]), 20), (Filter(states=[State.RUNNING]), 0)):
        for at_most in (1, size or 1, size + 1, 1_000_000):
            case.equal(min(size, at_most), case.backend.count(filter, at_most=at_most))
        case.equal(size, case.backend.count(filter))
