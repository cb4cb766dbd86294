"""Requeue jobs. Free the keys of jobs whose time has passed, if they prevent a requeue."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallystick.backends.calls import ChangeCall

from . import queries, updates
from .bulk import change_in_parts, collect
from .collections import Collections


def requeue(store: Collections, call: ChangeCall, now: datetime) -> list[UUID]:
    """Requeue up to `limit` jobs that fit the filter, and return their ids."""

    def free(rejected: Sequence[UUID]) -> bool:
        keys = store.jobs.distinct("unique_key", {"_id": {"$in": list(rejected)}})
        return bool(keys and store.jobs.update_many(queries.passed(keys, now), updates.FREED).modified_count)

    update = updates.requeued(now)
    return collect(change_in_parts(store, "requeue", call, queries.CAN_BE_REQUEUED, update, free=free))
