"""Convert the rows of `stats.sql` to `Stats`."""

from collections import Counter
from collections.abc import Sequence

from tallystick import QueueStats, State, Stats

from . import rows
from .rows import Row

_STATES = frozenset(State)


def stats(found: Sequence[Row]) -> Stats:
    """Sum up the counts of each queue, kind and state; a row without a state describes a queue."""
    states: Counter[State] = Counter(dict.fromkeys(State, 0))
    kinds: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for queue, kind, state, n, _, _ in found:
        if state in _STATES:  # a client may have written any text into the ledger
            states[State(state)] += n
            kinds[kind] += n
            totals[queue] += n
    queues = {
        queue: QueueStats(totals[queue], due, None if oldest is None else rows.moment(oldest), paused)
        for queue, _, state, due, oldest, paused in found
        if state is None
    }
    return Stats(sum(totals.values()), dict(states), {kind: n for kind, n in kinds.items() if n}, queues)
