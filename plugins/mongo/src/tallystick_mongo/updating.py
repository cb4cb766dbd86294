"""Change the due time, priority or queue of waiting jobs."""

from datetime import datetime
from uuid import UUID

from tallystick.backends.calls import UpdateCall

from . import bulk, known_queues, queries, updates
from .collections import Collections
from .queries import ID_ONLY


def update(store: Collections, call: UpdateCall, now: datetime) -> list[UUID]:
    """Change up to `limit` waiting jobs that differ, and return their ids. A new queue becomes known first."""
    differing = updates.differing(call.changes)
    if call.changes.queue is not None:
        found = queries.among(call.filter.ids, queries.fitting(call.filter, differing))
        if store.jobs.find_one(found, ID_ONLY) is None:
            return []
        known_queues.make_known(store, [call.changes.queue])
    return bulk.change(store, "update", call, differing, updates.changed(call.changes, now))
