"""Changes of all jobs that match a filter."""

from collections.abc import Callable, Sequence
from uuid import UUID

from tallystick import Filter
from tallystick.runner.bulk import change_all

A, B, C = (UUID(int=n) for n in range(3))


def changing(*batches: Sequence[UUID]) -> tuple[Callable[..., Sequence[UUID]], list[Filter]]:
    """Return a call that changes one batch after another, and the list of its filters."""
    calls: list[Filter] = []

    def change(filter: Filter, *, limit: int) -> Sequence[UUID]:
        calls.append(filter)
        return batches[len(calls) - 1]

    return change, calls


def test_until_none_is_left() -> None:
    """A call that changes fewer jobs than its limit is repeated: other calls may have locked some."""
    change, calls = changing([A], [B, C], [])
    assert change_all(change, Filter()) == [A, B, C]
    assert len(calls) == 3


def test_jobs_that_workers_put_back() -> None:
    """A job that changes again does not count twice, and does not keep the calls going."""
    change, _ = changing([A, B], [B])
    assert change_all(change, Filter()) == [A, B]


def test_ids() -> None:
    """Once all jobs with the given ids have changed, there is no further call."""
    change, calls = changing([A, B])
    assert change_all(change, Filter(ids=[A, B, A])) == [A, B]
    assert len(calls) == 1
