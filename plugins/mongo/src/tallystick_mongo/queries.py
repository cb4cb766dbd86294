"""All filters, updates, pipelines and sort orders of the store: constants, and functions that insert values.

An update pipeline must wrap a caller's values in `$literal`, because it reads text that begins with `$` as a field.

The filter of an update is its guard. The server evaluates it again after a write conflict, so it holds at the moment of
the change.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from bson import ObjectId
from tallystick import CLAIMABLE, FINAL, Filter, State

from .documents import HIDDEN

Query = dict[str, Any]
Pipeline = list[dict[str, Any]]

# the store: its one document holds the version; reading it also returns the server's time

STORE: Final = {"_id": "tallystick"}
NOW: Final = "$$NOW"

STATE: Final[Pipeline] = [{"$match": STORE}, {"$project": {"now": NOW}}]


def state_and_queues(collection: str, names: Sequence[str]) -> Pipeline:
    """Read the server's time, and those of the given queues that are known, in one round trip."""
    known = [{"$match": {"_id": {"$in": list(names)}}}]
    return [*STATE, {"$lookup": {"from": collection, "pipeline": known, "as": "queues"}}]


# states

WAITING: Final = {"$in": sorted(CLAIMABLE)}
VISIBLE: Final = {"$in": list(State)}
DELETABLE: Final = {"$in": [state for state in State if state is not State.RUNNING]}
FIRST: Final = datetime.min.replace(tzinfo=UTC)
DATE: Final = {"$gte": FIRST, "$lte": datetime.max.replace(tzinfo=UTC)}
"""Matches dates in Python's range, and lists with one. A comparison matches no other type."""

REQUEUEABLE: Final = {"$in": [State.RETRYING, *sorted(FINAL)]}

ABSENT: Final = "$$REMOVE"
RUNNING_NOW: Final = {"$eq": ["$state", State.RUNNING]}
KEY: Final = {"$cond": [{"$gt": ["$unique_key", None]}, "$unique_key", ABSENT]}
KEY_HELD: Final = {"$cond": [{"$gt": ["$held_key", None]}, "$held_key", ABSENT]}
KEY_AFTER_THE_END: Final = {"$cond": [{"$eq": ["$unique_until", "purged"]}, KEY_HELD, ABSENT]}

# orders

CLAIMING_ORDER: Final = [("priority", -1), ("due", 1), ("_id", 1)]
NEWEST_FIRST: Final = [("_id", -1)]
ID_ONLY: Final = {"_id": 1}
QUEUE_ONLY: Final = {"queue": 1}


def due(now: datetime) -> Query:
    """Match jobs that a claim may take. `$exists` is needed for the server to use the partial index."""
    return {"due": {"$exists": True, "$lte": now}, "state": WAITING}


def waits(queues: Sequence[str]) -> Query:
    """Match waiting jobs, due or not, whose `due` is a date. A claim could not take the others."""
    due = {"$exists": True, **DATE, "$not": {"$type": "array"}}
    return {"queue": {"$in": list(queues)}, "due": due, "state": WAITING}


def expired(now: datetime) -> Query:
    """Match attempts with an expired lease."""
    return {"lease_until": {"$exists": True, "$lte": now}, "state": State.RUNNING}


def finished(states: Sequence[State], before: datetime) -> Query:
    """Match jobs that finished in one of the states before a time."""
    return {"finished_at": {"$exists": True, "$lt": before}, "state": {"$in": list(states)}}


def current(attempt: int) -> Query:
    """Match the current attempt of a job, while it runs. This guard rejects stale claims."""
    return {"state": State.RUNNING, "attempt": attempt}


CANCELLABLE: Final[Query] = {"$or": [{"state": WAITING}, {"state": State.RUNNING, "cancel_requested": False}]}
"""Matches waiting jobs, and running jobs without a requested cancellation."""


CAN_BE_REQUEUED: Final[Query] = {"state": REQUEUEABLE, "attempt": {"$lt": 2**31 - 1}}
"""Matches retrying and finished jobs. A job has no further attempt if `attempt` is not a number, or is the largest."""


def fitting(filter: Filter, condition: Query) -> Query:
    """Match records that satisfy a condition and a filter, except for the filter's ids."""
    wanted = {"state": filter.states, "kind": filter.kinds, "queue": filter.queues, "tags": filter.tags}
    fields = [{name: {"$in": list(values)}} for name, values in wanted.items() if values is not None]
    return {"$and": [condition, *fields]} if fields else condition


def among(ids: Sequence[UUID] | None, query: Query, *, below: UUID | None = None) -> Query:
    """Restrict a query to the given ids, and to ids below `below`."""
    wanted: Query = ({} if ids is None else {"$in": list(ids)}) | ({} if below is None else {"$lt": below})
    return {"_id": wanted, **query} if wanted else query


def but(taken: Sequence[object], query: Query) -> Query:
    """Exclude ids from a query."""
    return {**query, "_id": {"$nin": list(taken)}} if taken else query


def holders(ids: Sequence[UUID], keys: Sequence[str]) -> Query:
    """Match documents, hidden or not, that have one of the ids or hold one of the unique keys."""
    return {"$or": [{"_id": {"$in": list(ids)}}, {"held_key": {"$in": list(keys)}}]}


def inserted_by(call: ObjectId, ids: Sequence[UUID]) -> Query:
    """Match the documents that a call has inserted."""
    return {"_id": {"$in": list(ids)}, "calls.insert": call}


# updates


def claimed(attempt: int, worker: str, until: datetime, now: datetime) -> Query:
    """Start an attempt."""
    begun = {
        "state": State.RUNNING,
        "attempt": attempt,
        "worker": worker,
        "lease_until": until,
        "attempted_at": now,
        "updated_at": now,
    }
    return {"$set": begun, "$unset": {"due": ""}}


def extended(until: datetime, now: datetime) -> Pipeline:
    """Extend a lease, and record in the same step whether a cancellation was requested."""
    to_stop = {"$cond": ["$cancel_requested", True, ABSENT]}
    return [{"$set": {"lease_until": until, "updated_at": now, "told_to_stop": to_stop}}]


def ended(state: State, now: datetime, **fields: Any) -> Pipeline:
    """End an attempt and its job."""
    return [
        {
            "$set": {
                "state": state.value,
                "finished_at": now,
                "updated_at": now,
                "lease_until": ABSENT,
                "held_key": KEY_AFTER_THE_END,
                **_literal(fields),
            }
        }
    ]


def put_off(state: State, run_at: datetime, now: datetime, *, given_back: int = 0, **fields: Any) -> Pipeline:
    """End an attempt and make its job wait for the next one. A job with a requested cancellation ends instead."""
    flagged = "$cancel_requested"
    return [
        {
            "$set": {
                "state": {"$cond": [flagged, State.CANCELLED.value, state.value]},
                "run_at": {"$cond": [flagged, "$run_at", run_at]},
                "due": {"$cond": [flagged, ABSENT, run_at]},
                "finished_at": {"$cond": [flagged, now, ABSENT]},
                "held_key": {"$cond": [flagged, KEY_AFTER_THE_END, KEY_HELD]},
                "max_attempts": {"$add": ["$max_attempts", given_back]},
                "updated_at": now,
                "lease_until": ABSENT,
                **_literal(fields),
            }
        }
    ]


def cancelled(now: datetime) -> Pipeline:
    """Cancel a waiting job, or request the cancellation of a running one."""
    return [
        {
            "$set": {
                "state": {"$cond": [RUNNING_NOW, "$state", State.CANCELLED.value]},
                "cancel_requested": RUNNING_NOW,
                "finished_at": {"$cond": [RUNNING_NOW, ABSENT, now]},
                "held_key": {"$cond": [RUNNING_NOW, KEY_HELD, KEY_AFTER_THE_END]},
                "due": ABSENT,
                "updated_at": now,
            }
        }
    ]


def requeued(now: datetime) -> Pipeline:
    """Make a job pending and due now, with an attempt left. The index rejects it if another job holds its key."""
    return [
        {
            "$set": {
                "state": State.PENDING.value,
                "run_at": now,
                "due": now,
                "max_attempts": {"$max": ["$max_attempts", {"$add": ["$attempt", 1]}]},
                "finished_at": ABSENT,
                "result": ABSENT,
                "cancel_requested": False,
                "told_to_stop": ABSENT,
                "held_key": KEY,
                "updated_at": now,
            }
        }
    ]


def hidden(batch: ObjectId) -> Query:
    """Hide a job in a batch that does not exist, so that any sweep or conflicting insert removes it."""
    return {"$set": {"state": HIDDEN, "batch": batch}, "$unset": {"held_key": "", "due": ""}}


def _literal(fields: Mapping[str, Any]) -> Query:
    return {name: ABSENT if value is None else {"$literal": value} for name, value in fields.items()}


# batches


def staged(batch: ObjectId) -> Query:
    """Match the hidden documents of a batch."""
    return {"batch": batch, "state": HIDDEN}


REVEALED: Final[Pipeline] = [{"$set": {"state": State.PENDING.value, "due": "$run_at", "batch": ABSENT}}]
OPEN: Final = {"state": "open"}


def committed(*, new_queues: bool) -> Query:
    """Commit a batch. `new_queues` records that its queues must be made known before it is revealed."""
    return {"$set": {"state": "committed", "new_queues": new_queues}}


# queues

KNOWN: Final = {"$setOnInsert": {"paused": False}}
PAUSED: Final = {"$set": {"paused": True}}
RESUMED: Final = {"$set": {"paused": False}}

# changes that may make a job due: a job gets the field `due`, or a queue is resumed

STORED_WHOLE: Final = {"$in": ["insert", "replace"]}
"""MongoDB reports an update that changes most of a document as a replacement."""


def changes(jobs: str, queues: str) -> Pipeline:
    """Select the changes of the database that end a wait."""
    inserted = {"ns.coll": jobs, "operationType": STORED_WHOLE, "fullDocument.due": {"$exists": True}}
    updated = {"ns.coll": jobs, "operationType": "update", "updateDescription.updatedFields.due": {"$exists": True}}
    resumed = {"ns.coll": queues, "operationType": "update", "updateDescription.updatedFields.paused": False}
    return [{"$match": {"$or": [inserted, updated, resumed]}}, {"$project": {"operationType": 1}}]


# counts


def counts(now: datetime) -> Pipeline:
    """Count the records and the due jobs of each queue, kind and state, and find the earliest `run_at` of due jobs."""
    is_past = [{"$lte": ["$run_at", now]}, {"$gte": ["$run_at", FIRST]}]  # types before that of a date sort before it
    is_due = {"$and": [{"$in": ["$state", sorted(CLAIMABLE)]}, *is_past]}
    return [
        {"$match": {"state": VISIBLE}},
        {
            "$group": {
                "_id": {"queue": "$queue", "kind": "$kind", "state": "$state"},
                "n": {"$sum": 1},
                "due": {"$sum": {"$cond": [is_due, 1, 0]}},
                "oldest": {"$min": {"$cond": [is_due, "$run_at", None]}},
            }
        },
    ]
