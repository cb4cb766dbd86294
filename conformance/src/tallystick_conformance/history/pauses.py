"""Determine which queues were certainly paused, or certainly open, throughout a call."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate
from math import inf

from .operation import Operation


class Pauses:
    """The pauses and resumes of a history. Before the first, every queue is open."""

    def __init__(self, history: Iterable[Operation]) -> None:
        spans: defaultdict[tuple[str, str], list[Operation]] = defaultdict(list)
        for operation in history:
            if operation.call in ("pause", "resume") and not operation.failed:
                spans[operation.call, operation.given["queue"]].append(operation)
        self._switches = {key: _Switches(operations) for key, operations in spans.items()}

    def surely_paused(self, queue: str, call: Operation) -> bool:
        """Return whether a queue was paused throughout a call, in every order of the overlapping calls."""
        return self._last("pause", queue, call) > self._latest("resume", queue, call)

    def surely_open(self, queue: str, call: Operation) -> bool:
        """Return whether a queue was open throughout a call, in every order of the overlapping calls."""
        latest = self._latest("pause", queue, call)
        return latest == -inf or self._last("resume", queue, call) > latest

    def _last(self, switch: str, queue: str, call: Operation) -> float:
        switches = self._switches.get((switch, queue))
        return -inf if switches is None else switches.last_before(call.began)

    def _latest(self, switch: str, queue: str, call: Operation) -> float:
        switches = self._switches.get((switch, queue))
        return -inf if switches is None else switches.latest_end(call.over)


class _Switches:
    def __init__(self, operations: list[Operation]) -> None:
        done = sorted((o.over, o.began) for o in operations if not o.unknown)
        begun = sorted((o.began, o.over) for o in operations)
        self._done, self._latest_begin = [end for end, _ in done], list(accumulate((b for _, b in done), max))
        self._begun, self._latest_end = [begin for begin, _ in begun], list(accumulate((e for _, e in begun), max))

    def last_before(self, time: float) -> float:
        """Return the latest start among the switches that certainly happened before a time."""
        index = bisect_left(self._done, time)
        return self._latest_begin[index - 1] if index else -inf

    def latest_end(self, time: float) -> float:
        """Return the latest end among the switches that may have happened by a time."""
        index = bisect_right(self._begun, time)
        return self._latest_end[index - 1] if index else -inf
