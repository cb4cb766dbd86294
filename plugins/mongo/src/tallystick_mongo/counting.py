"""Convert the groups of `queries.counts` to `Stats`."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tallystick import Queue, Stats
from tallystick.backends import counting
from tallystick.backends.counting import Count

from .documents import Document


def stats(groups: Iterable[Document], queues: Sequence[Queue]) -> Stats:
    """Sum up groups. Every known queue gets an entry."""
    return counting.stats(map(_count, groups), queues)


def _count(group: Document) -> Count:
    queue, kind, state = (_text(group["_id"].get(name)) for name in ("queue", "kind", "state"))
    oldest = group["oldest"] if isinstance(group["oldest"], datetime) else None
    return Count(queue, kind, state, group["n"], group["due"], oldest)


def _text(value: object) -> str:
    """Return a name. Convert a damaged one of another type to text."""
    return value if isinstance(value, str) else str(value)
