"""Convert the rows of `stats.sql` to `Stats`."""

from collections.abc import Iterator, Sequence

from tallystick import Queue, State, Stats
from tallystick.backends import counting
from tallystick.backends.counting import Count

from . import rows
from .rows import Row


def stats(found: Sequence[Row]) -> Stats:
    """Sum up the counts of each queue, kind and state. A row without a state describes a queue."""
    queues = (Queue(queue, paused) for queue, _, state, _, _, paused in found if state is None)
    return counting.stats(_counts(found), queues)


def _counts(found: Sequence[Row]) -> Iterator[Count]:
    for queue, kind, state, n, oldest, _ in found:
        if state is None:
            yield Count(queue, "", State.PENDING, 0, n, None if oldest is None else rows.moment(oldest))
        else:
            yield Count(queue, kind, state, n)
