"""Every filter, update, pipeline and order that the store is asked with.

What is constant is a constant; what has values is a function that only puts them in. A value of a caller's stands in an
update that is a pipeline as `$literal`, since there a text that begins with `$` would be read as a field.

The guard of an update is its filter: the server looks at all of it again after a write conflict, so what it says held
at the moment of the change.
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

# the store: one document that says which version it is and which setup made it, by which a call also learns the time

STORE: Final = {"_id": "tallystick"}
NOW: Final = "$$NOW"

LOOK: Final[Pipeline] = [{"$match": STORE}, {"$project": {"now": NOW}}]


def look_at_queues(collection: str, names: Sequence[str]) -> Pipeline:
    """Learn the server's time, and which of some queues are known, in one round trip."""
    known = [{"$match": {"_id": {"$in": list(names)}}}]
    return [*LOOK, {"$lookup": {"from": collection, "pipeline": known, "as": "queues"}}]


# states

WAITING: Final = {"$in": sorted(CLAIMABLE)}
VISIBLE: Final = {"$in": list(State)}
DELETABLE: Final = {"$in": [state for state in State if state is not State.RUNNING]}
_FIRST: Final = datetime.min.replace(tzinfo=UTC)

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
    """Jobs that may be claimed. `$exists` lets the server use an index that holds only documents with the field."""
    return {"due": {"$exists": True, "$lte": now}, "state": WAITING}


def waits(queues: Sequence[str]) -> Query:
    """Jobs that wait, due or not; what is no moment is left out, since values of one type only are compared."""
    return {"queue": {"$in": list(queues)}, "due": {"$exists": True, "$gte": _FIRST}, "state": WAITING}


def expired(now: datetime) -> Query:
    """Attempts whose lease has run out."""
    return {"lease_until": {"$exists": True, "$lte": now}, "state": State.RUNNING}


def finished(states: Sequence[State], before: datetime) -> Query:
    """Records that finished in one of some states before a moment."""
    return {"finished_at": {"$exists": True, "$lt": before}, "state": {"$in": list(states)}}


def current(attempt: int) -> Query:
    """The guard of a claim: its attempt is the record's own, and has not ended."""
    return {"state": State.RUNNING, "attempt": attempt}


CANCELLABLE: Final[Query] = {"$or": [{"state": WAITING}, {"state": State.RUNNING, "cancel_requested": False}]}
"""What waits, and what runs and was not asked to stop."""


CAN_BE_REQUEUED: Final[Query] = {"state": REQUEUEABLE, "attempt": {"$lt": 2**31 - 1}}
"""What does not run or wait; an attempt that is no number, or the largest, has none after it."""


def fitting(filter: Filter, condition: Query) -> Query:
    """Records that fit a filter but for its ids, and a condition."""
    wanted = {"state": filter.states, "kind": filter.kinds, "queue": filter.queues, "tags": filter.tags}
    fields = [{name: {"$in": list(values)}} for name, values in wanted.items() if values is not None]
    return {"$and": [condition, *fields]} if fields else condition


def among(ids: Sequence[UUID] | None, query: Query, *, below: UUID | None = None) -> Query:
    """Restrict a query to some ids, or to those below one."""
    wanted: Query = ({} if ids is None else {"$in": list(ids)}) | ({} if below is None else {"$lt": below})
    return {"_id": wanted, **query} if wanted else query


def but(taken: Sequence[UUID], query: Query) -> Query:
    """Leave some ids out of a query."""
    return {**query, "_id": {"$nin": list(taken)}} if taken else query


def holders(ids: Sequence[UUID], keys: Sequence[str]) -> Query:
    """What has one of some ids or holds one of some unique keys, hidden or not."""
    return {"$or": [{"_id": {"$in": list(ids)}}, {"held_key": {"$in": list(keys)}}]}


def inserted_by(call: ObjectId, ids: Sequence[UUID]) -> Query:
    """What a call has inserted."""
    return {"_id": {"$in": list(ids)}, "calls.insert": call}


# updates


def claimed(attempt: int, worker: str, until: datetime, now: datetime) -> Query:
    """Begin an attempt."""
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
    """Hold an attempt for longer, and note in the same step whether its owner is to be told to stop."""
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
    """End an attempt, and let its job wait for another; a job whose cancellation was requested ends."""
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
    """End a job that waits, and flag one that runs."""
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
    """Make a job pending and due now, with an attempt left. Where another holds its key, the index refuses it."""
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
    """Make of a job what belongs to a batch that was never begun, and so is removed by whoever meets it."""
    return {"$set": {"state": HIDDEN, "batch": batch}, "$unset": {"held_key": "", "due": ""}}


def _literal(fields: Mapping[str, Any]) -> Query:
    return {name: ABSENT if value is None else {"$literal": value} for name, value in fields.items()}


# batches


def staged(batch: ObjectId) -> Query:
    """The documents of a batch that are hidden."""
    return {"batch": batch, "state": HIDDEN}


REVEALED: Final[Pipeline] = [{"$set": {"state": State.PENDING.value, "due": "$run_at", "batch": ABSENT}}]
OPEN: Final = {"state": "open"}


def committed(*, new_queues: bool) -> Query:
    """Decide that a batch is stored; queues that nobody knows yet are noted before it is revealed."""
    return {"$set": {"state": "committed", "new_queues": new_queues}}


# queues

KNOWN: Final = {"$setOnInsert": {"paused": False}}
PAUSED: Final = {"$set": {"paused": True}}
RESUMED: Final = {"$set": {"paused": False}}

# changes that may make a job due: of jobs, where the field `due` appears, and of queues that are resumed

STORED_WHOLE: Final = {"$in": ["insert", "replace"]}
"""An update is told as a replacement, where what it changes is more than what it leaves."""


def changes(jobs: str, queues: str) -> Pipeline:
    """The part of a database's change stream that wakes who waits."""
    inserted = {"ns.coll": jobs, "operationType": STORED_WHOLE, "fullDocument.due": {"$exists": True}}
    updated = {"ns.coll": jobs, "operationType": "update", "updateDescription.updatedFields.due": {"$exists": True}}
    resumed = {"ns.coll": queues, "operationType": "update", "updateDescription.updatedFields.paused": False}
    return [{"$match": {"$or": [inserted, updated, resumed]}}, {"$project": {"operationType": 1}}]


# counts


def counts(now: datetime) -> Pipeline:
    """Count the records of each queue, kind and state, and those that are due, with the earliest `run_at` of these."""
    is_due = {"$and": [{"$in": ["$state", sorted(CLAIMABLE)]}, {"$lte": ["$run_at", now]}]}
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
