"""Convert the counts of each queue, kind and state to `Stats`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from tallystick import Queue, QueueStats, State, Stats

from .documents import Document

_STATES = frozenset(State)


def _text(value: object) -> str:
    """Return a name; convert a damaged one of another type to text."""
    return value if isinstance(value, str) else str(value)


def stats(groups: Iterable[Document], queues: Sequence[Queue]) -> Stats:
    """Sum up the groups from `queries.counts`. Every known queue gets an entry."""
    states: Counter[State] = Counter(dict.fromkeys(State, 0))
    kinds: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    due: Counter[str] = Counter()
    oldest: defaultdict[str, list[datetime]] = defaultdict(list)
    for group in groups:
        queue, kind, state = (_text(group["_id"].get(name)) for name in ("queue", "kind", "state"))
        if state not in _STATES:
            continue
        states[State(state)] += group["n"]
        kinds[kind] += group["n"]
        totals[queue] += group["n"]
        due[queue] += group["due"]
        if isinstance(group["oldest"], datetime):
            oldest[queue].append(group["oldest"])
    paused = dict.fromkeys(totals, False) | {queue.name: queue.paused for queue in queues}
    by_queue = {
        name: QueueStats(totals[name], due[name], min(oldest[name], default=None), paused[name])
        for name in sorted(paused)
    }
    return Stats(sum(totals.values()), dict(states), dict(kinds), by_queue)
