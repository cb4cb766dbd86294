"""Cancelling many jobs at once."""

from tallystick import Filter

from ..harness.case import NOW, Case, example
from .common import LARGEST_LIMIT, insert_many


@example("CANCEL-04")
def many_are_cancelled_at_once(case: Case) -> None:
    """A cancel with a large limit cancels every job that fits."""
    size = insert_many(case)
    case.equal(size, len(set(case.backend.cancel(Filter(kinds=["k"]), limit=LARGEST_LIMIT, now=NOW))))
