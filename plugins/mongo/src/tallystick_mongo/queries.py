"""All filters, pipelines and sort orders of jobs and queues: constants, and functions that insert values.

The filter of an update is its guard. The server evaluates it again after a write conflict, so it holds at the moment of
the change.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from bson import ObjectId
from tallystick import CLAIMABLE, FINAL, Filter, State

from .documents import HIDDEN
from .error_fields import containing, searchable

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

# orders

CLAIMING_ORDER: Final = [("priority", -1), ("due", 1), ("_id", 1)]
NEWEST_FIRST: Final = [("_id", -1)]
LATEST_FIRST: Final = [("finished_at", -1), ("_id", -1)]
EARLIEST_FIRST: Final = [("due", 1), ("_id", 1)]
ID_ONLY: Final = {"_id": 1}
QUEUE_ONLY: Final = {"queue": 1}
HOLDING: Final = {"state": 1, "batch": 1, "held_key": 1, "held_until": 1}


def due(now: datetime) -> Query:
    """Match jobs that a claim may take. `$exists` is needed for the server to use the partial index."""
    return {"due": {"$exists": True, "$lte": now}, "state": WAITING}


WAITS: Final[Query] = {"due": {"$exists": True, **DATE, "$not": {"$type": "array"}}, "state": WAITING}
"""Matches waiting jobs, due or not, whose `due` is a date. A claim could not take the others."""


def waits(queues: Sequence[str]) -> Query:
    """Match waiting jobs of some queues, due or not."""
    return {"queue": {"$in": list(queues)}, **WAITS}


def expired(now: datetime) -> Query:
    """Match attempts with an expired lease."""
    return {"lease_until": {"$exists": True, "$lte": now}, "state": State.RUNNING}


def finished(
    states: Sequence[State],
    before: datetime,
    since: datetime | None = None,
    kinds: Sequence[str] | None = None,
    except_kinds: Sequence[str] = (),
) -> Query:
    """Match jobs of some kinds that finished in one of the states before a time, and not before `since`."""
    kind: Query = {} if kinds is None else {"$in": list(kinds)}
    kind |= {"$nin": list(except_kinds)} if except_kinds else {}
    time = {"$exists": True, "$lt": before} | ({} if since is None else {"$gte": since})
    return {"finished_at": time, "state": {"$in": list(states)}} | ({"kind": kind} if kind else {})


def current(attempt: int) -> Query:
    """Match the current attempt of a job, while it runs. This guard rejects stale claims."""
    return {"state": State.RUNNING, "attempt": attempt}


CANCELLABLE: Final[Query] = {"$or": [{"state": WAITING}, {"state": State.RUNNING, "cancel_requested": False}]}
"""Matches waiting jobs, and running jobs without a requested cancellation."""


CAN_BE_REQUEUED: Final[Query] = {"state": REQUEUEABLE, "attempt": {"$lt": 2**31 - 1}}
"""Matches retrying and finished jobs. A job has no further attempt if `attempt` is not a number, or is the largest."""


def fitting(filter: Filter, condition: Query) -> Query:
    """Match records that satisfy a condition and a filter, except for the filter's ids."""
    types = filter.error_types
    wanted = {
        "state": filter.states,
        "kind": filter.kinds,
        "queue": filter.queues,
        "tags": filter.tags,
        "worker": filter.workers,
        "unique_key": filter.unique_keys,
        "error_type": None if types is None else list(map(searchable, types)),
    }
    fields: Pipeline = [{name: {"$in": list(values)}} for name, values in wanted.items() if values is not None]
    fields += within("created_at", filter.created_since, filter.created_until)
    fields += within("finished_at", filter.finished_since, filter.finished_until)
    if filter.states and FINAL.issuperset(filter.states):
        fields.append(FINISHED)
    if filter.error_text is not None:
        fields.append(_has_error_with(filter.error_text))
    return {"$and": [condition, *fields]} if fields else condition


FINISHED: Final[Query] = {"finished_at": {"$exists": True}}
"""Matches finished jobs. A search for final states needs it to use the index of finished jobs."""


def _has_error_with(text: str) -> Query:
    """Match jobs whose latest error has a text. `$exists` is needed for the server to use the partial index."""
    found = {"$regex": containing(text)}
    return {"error_type": {"$exists": True}, "$or": [{"error_type": found}, {"error_message": found}]}


def within(field: str, since: datetime | None, until: datetime | None) -> list[Query]:
    """Match times from `since` on, before `until`. A comparison with a date matches no other type."""
    conditions = []
    if since is not None:
        conditions.append({field: {"$gte" if _is_whole(since) else "$gt": since}})
    if until is not None:
        conditions.append({field: {"$lt" if _is_whole(until) else "$lte": until}})
    return conditions


def _is_whole(moment: datetime) -> bool:
    """Return whether a time has whole milliseconds. BSON rounds any other time down."""
    return moment.microsecond % 1_000 == 0


def behind(field: str, order: int, moment: datetime, id: UUID) -> Query:
    """Match the records behind a position in the order of a time and the id."""
    later = "$gt" if order > 0 else "$lt"
    if not _is_whole(moment):  # no stored time is equal, and BSON rounds this one down
        return {field: {"$gt" if order > 0 else "$lte": moment}}
    return {field: {f"{later}e": moment}, "$or": [{field: {later: moment}}, {"_id": {later: id}}]}


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


def passed(keys: Sequence[str], now: datetime) -> Query:
    """Match jobs that hold one of the unique keys for a time that has passed."""
    return {"held_key": {"$in": list(keys)}, "held_until": {"$lte": now}}


def held_by(id: UUID, key: str, kind: str, created_at: datetime) -> Query:
    """Match a job while it waits and holds its unique key."""
    return {"_id": id, "held_key": key, "state": WAITING, "kind": kind, "created_at": created_at}


# batches


def staged(batch: ObjectId) -> Query:
    """Match the hidden documents of a batch."""
    return {"batch": batch, "state": HIDDEN}


OPEN: Final = {"state": "open"}


def committed(*, new_queues: bool) -> Query:
    """Commit a batch. `new_queues` records that its queues must be made known before it is revealed."""
    return {"$set": {"state": "committed", "new_queues": new_queues}}


# queues

KNOWN: Final = {"$setOnInsert": {"paused": False}}
PAUSED: Final = {"$set": {"paused": True}}
RESUMED: Final = {"$set": {"paused": False}}

# changes that may make a job due: a job gets the field `due` or another queue, or a queue is resumed

STORED_WHOLE: Final = {"$in": ["insert", "replace"]}
"""MongoDB reports an update that changes most of a document as a replacement."""


def changes(jobs: str, queues: str) -> Pipeline:
    """Select the changes of the database that end a wait."""
    inserted = {"ns.coll": jobs, "operationType": STORED_WHOLE, "fullDocument.due": {"$exists": True}}
    updated = {"ns.coll": jobs, "operationType": "update"}
    fields = [{f"updateDescription.updatedFields.{name}": {"$exists": True}} for name in ("due", "queue")]
    resumed = {"ns.coll": queues, "operationType": "update", "updateDescription.updatedFields.paused": False}
    return [{"$match": {"$or": [inserted, {**updated, "$or": fields}, resumed]}}, {"$project": {"operationType": 1}}]


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
