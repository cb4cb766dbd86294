"""Sum up counts to `Stats`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from ..contract.records import Queue, QueueStats, Record, Stats
from ..contract.state import CLAIMABLE, State


class Count(NamedTuple):
    """The number of jobs of one queue, kind and state; and how many of them are due, the first of these at `oldest`."""

    queue: str
    kind: str
    state: str
    total: int
    due: int = 0
    oldest: datetime | None = None


class _Line:
    """The sums of one queue."""

    def __init__(self) -> None:
        self.due = 0
        self.states: Counter[State] = Counter(dict.fromkeys(State, 0))
        self.oldest: list[datetime] = []


_STATES = {state.value: state for state in State}


def stats(counts: Iterable[Count], queues: Iterable[Queue]) -> Stats:
    """Return the sums of counts, and an entry for each known queue. Ignore counts of a state that does not exist.

    Two counts may have the same queue, kind and state.
    """
    states: Counter[State] = Counter(dict.fromkeys(State, 0))
    kinds: Counter[str] = Counter()
    lines: defaultdict[str, _Line] = defaultdict(_Line)
    for count in counts:
        if (state := _STATES.get(count.state)) is not None:
            states[state] += count.total
            kinds[count.kind] += count.total
            line = lines[count.queue]
            line.states[state] += count.total
            line.due += count.due
            line.oldest += [count.oldest] if count.oldest is not None else []
    paused = dict.fromkeys(lines, False) | {queue.name: queue.paused for queue in queues}
    by_queue = {name: _queue_stats(lines[name], is_paused) for name, is_paused in sorted(paused.items())}
    return Stats(sum(states.values()), dict(states), {kind: n for kind, n in kinds.items() if n}, by_queue)


def _queue_stats(line: _Line, is_paused: bool) -> QueueStats:
    oldest = min(line.oldest, default=None)
    return QueueStats(sum(line.states.values()), line.due, oldest, is_paused, dict(line.states))


def counts(records: Iterable[Record], now: datetime) -> Iterator[Count]:
    """Count records that are in memory."""
    totals: Counter[tuple[str, str, State]] = Counter()
    for record in records:
        totals[record.queue, record.kind, record.state] += 1
        if record.state in CLAIMABLE and record.run_at <= now:
            yield Count(record.queue, record.kind, record.state, 0, 1, record.run_at)
    for group, total in totals.items():
        yield Count(*group, total)
