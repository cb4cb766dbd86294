"""Change all jobs that match a filter, in batches."""

from collections.abc import Callable, Sequence
from uuid import UUID

from ..contract.filters import Filter
from ..jobs.handle import Handle, job_id

Which = Filter | Handle[object] | UUID
"""One job, or all jobs that match a filter."""

_BATCH = 1_000


def as_filter(which: Which) -> Filter:
    """Return the filter that selects these jobs."""
    return which if isinstance(which, Filter) else Filter(ids=[job_id(which)])


def change_all(change: Callable[..., Sequence[UUID]], filter: Filter) -> list[UUID]:
    """Call `change(filter, limit=...)` until it changes no new job, and return the ids of all changed jobs.

    A job that changes twice is not new. Otherwise this might never end, because workers put changed jobs back.
    """
    changed: dict[UUID, None] = {}
    selected = None if filter.ids is None else len({*filter.ids})
    while len(changed) != selected and (new := [id for id in change(filter, limit=_BATCH) if id not in changed]):
        changed.update(dict.fromkeys(new))
    return list(changed)
