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
from tallystick import CLAIMABLE, ERRORS_KEPT, FINAL, AttemptError, Changes, Filter, State

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

ABSENT: Final = "$$REMOVE"
RUNNING_NOW: Final = {"$eq": ["$state", State.RUNNING]}
KEY: Final = {"$cond": [{"$gt": ["$unique_key", None]}, "$unique_key", ABSENT]}
KEY_HELD: Final = {"$cond": [{"$gt": ["$held_key", None]}, "$held_key", ABSENT]}
HAS_TIME: Final = {"$gt": ["$held_until", None]}
KEY_AFTER_THE_END: Final = {"$cond": [{"$or": [{"$eq": ["$unique_until", "purged"]}, HAS_TIME]}, KEY_HELD, ABSENT]}

# orders

CLAIMING_ORDER: Final = [("priority", -1), ("due", 1), ("_id", 1)]
NEWEST_FIRST: Final = [("_id", -1)]
LATEST_FIRST: Final = [("finished_at", -1), ("_id", -1)]
EARLIEST_FIRST: Final = [("due", 1), ("_id", 1)]
ID_ONLY: Final = {"_id": 1}
QUEUE_ONLY: Final = {"queue": 1}


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


# updates


def claimed(attempt: int, worker: str, until: datetime, now: datetime, *, frees_key: bool = False) -> Query:
    """Start an attempt."""
    begun = {
        "state": State.RUNNING,
        "attempt": attempt,
        "worker": worker,
        "lease_until": until,
        "attempted_at": now,
        "updated_at": now,
    }
    return {"$set": begun, "$unset": {"due": "", "held_key": ""} if frees_key else {"due": ""}}


def extended(until: datetime, now: datetime) -> Pipeline:
    """Extend a lease, and record in the same step whether a cancellation was requested."""
    to_stop = {"$cond": ["$cancel_requested", True, ABSENT]}
    return [{"$set": {"lease_until": until, "updated_at": now, "told_to_stop": to_stop}}]


def ended(state: State, now: datetime, *, entry: AttemptError | None = None, **fields: Any) -> Pipeline:
    """End an attempt and its job."""
    return [
        {
            "$set": {
                "state": state.value,
                "finished_at": now,
                "updated_at": now,
                "lease_until": ABSENT,
                "held_key": KEY_AFTER_THE_END,
                **_appended(entry),
                **_literal(fields),
            }
        }
    ]


def put_off(
    state: State,
    run_at: datetime,
    now: datetime,
    *,
    given_back: int = 0,
    entry: AttemptError | None = None,
    **fields: Any,
) -> Pipeline:
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
                **_appended(entry),
                **_literal(fields),
            }
        }
    ]


def rescued(fields: Mapping[str, Any], entry: AttemptError) -> Pipeline:
    """End an attempt with an error. A value of None removes a field."""
    return [{"$set": {**_literal(fields), **_appended(entry)}}]


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


def differing(changes: Changes) -> Query:
    """Match waiting jobs that the changes would change."""
    return {"state": WAITING, "$or": [{name: {"$ne": value}} for name, value in _given(changes).items()]}


def changed(changes: Changes, now: datetime) -> Query:
    """Change a waiting job."""
    due = {} if changes.run_at is None else {"due": changes.run_at}
    return {"$set": {**_given(changes), **due, "updated_at": now}}


def _given(changes: Changes) -> dict[str, Any]:
    values = {"run_at": changes.run_at, "priority": changes.priority, "queue": changes.queue}
    return {name: value for name, value in values.items() if value is not None}


def requeued(now: datetime) -> Pipeline:
    """Make a job pending and due now, with an attempt left. The index rejects it if another job holds its key.

    A job that has started, or whose time has passed, may need no key.
    """
    has_started = {"$and": [{"$eq": ["$unique_until", "started"]}, {"$gt": ["$attempt", 0]}]}
    has_passed = {"$and": [HAS_TIME, {"$lte": ["$held_until", now]}]}
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
                "held_key": {"$cond": [{"$or": [has_started, has_passed]}, ABSENT, KEY]},
                "updated_at": now,
            }
        }
    ]


def passed(keys: Sequence[str], now: datetime) -> Query:
    """Match jobs that hold one of the unique keys for a time that has passed."""
    return {"held_key": {"$in": list(keys)}, "held_until": {"$lte": now}}


FREED: Final[Query] = {"$unset": {"held_key": ""}}


def held_by(id: UUID, key: str, kind: str, created_at: datetime) -> Query:
    """Match a job while it waits and holds its unique key."""
    return {"_id": id, "held_key": key, "state": WAITING, "kind": kind, "created_at": created_at}


def hidden(batch: ObjectId) -> Query:
    """Hide a job in a batch that does not exist, so that any sweep or conflicting insert removes it."""
    return {"$set": {"state": HIDDEN, "batch": batch}, "$unset": {"held_key": "", "due": ""}}


def _appended(entry: AttemptError | None) -> Query:
    """Append an entry to the errors of a job. Damaged errors that are no list are replaced."""
    if entry is None:
        return {}
    before = {"$cond": [{"$isArray": "$errors"}, "$errors", []]}
    appended = {"$concatArrays": [before, [{"$literal": entry.to_json()}]]}
    return {"errors": {"$slice": [appended, -ERRORS_KEPT]}}


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


# schedules; see `staging` for `staging` and `fired`

UNSTAGED: Final[Query] = {"$unset": {"staging": ""}}
FINISHED_ADVANCE: Final[Query] = {"$unset": {"fired": ""}}
FIRED: Final[Query] = {"fired": {"$exists": True}}
NEXT_FIRST: Final = [("next_tick", 1), ("_id", 1)]

WILL_FIRE: Final[Query] = {"paused": False, "next_tick": {"$exists": True, **DATE}}
"""Matches schedules that are not paused and have a next tick."""


def schedule_of(batch: ObjectId) -> Query:
    """Match the schedule whose advance has a batch."""
    return {"$or": [{"staging": batch}, {"fired": batch}]}


def unchanged(found: Mapping[str, Any]) -> Query:
    """Match a schedule that has not changed since it was found. The mark differs even if it was stored anew."""
    return {name: {"$eq": found.get(name)} for name in ("_id", "revision", "mark")}


def begun(found: Mapping[str, Any]) -> Query:
    """Match an unchanged schedule whose open batch is the one that was found, or that has none."""
    return {**unchanged(found), "staging": {"$eq": found.get("staging")}, "fired": {"$exists": False}}


def written(fields: Mapping[str, Any], **more: Any) -> Query:
    """Set the fields of a schedule, and remove those that are None. No batch can be committed after this."""
    values = {**fields, "staging": None, **more}
    present = {name: value for name, value in values.items() if value is not None}
    return {"$set": present, "$unset": dict.fromkeys(values.keys() - present.keys(), "")}


# workers and meters


def died(before: datetime) -> Query:
    """Match workers whose latest beat ceased to count before a time."""
    return {"until": {"$lt": before}}


def added(rows: Mapping[str, Mapping[str, Any]], first: datetime, last: datetime) -> Query:
    """Add the numbers of rows to those of a document of meters, and extend its range of minutes."""
    paths = {f"rows.{key}.{name}": value for key, row in rows.items() for name, value in row.items()}
    numbers = {path: value for path, value in paths.items() if isinstance(value, int)}
    names = {path: value for path, value in paths.items() if path not in numbers}
    return {"$set": names, "$min": {"first": first}, "$max": {"last": last}} | ({"$inc": numbers} if numbers else {})


ROWS: Final[Query] = {"$cond": [{"$eq": [{"$type": "$rows"}, "object"]}, {"$objectToArray": "$rows"}, []]}
"""The rows of a document of meters as a list of keys and values. Damaged ones are empty."""


def older(before: datetime) -> Query:
    """Match documents of meters of which every minute is older than a time."""
    return {"last": {"$exists": True, "$lt": before}}


def partly_older(before: datetime) -> Query:
    """Match documents of meters of which some minute is older than a time."""
    return {"first": {"$lt": before}}


def without_older(before: datetime) -> Pipeline:
    """Remove the rows of older minutes."""
    recent = {"$filter": {"input": ROWS, "as": "row", "cond": {"$gte": ["$$row.v.minute", before]}}}
    return [{"$set": {"rows": {"$arrayToObject": recent}, "first": before}}]


def sums(since: datetime, until: datetime, counters: Sequence[str]) -> Pipeline:
    """Add up the rows of each minute, queue and kind. `$sum` ignores values that are no numbers."""
    overlapping = [{"last": {"$exists": True}}, *within("last", since, None), *within("first", None, until)]
    in_range = [{"$match": condition} for condition in within("row.v.minute", since, until)]
    are_names = {f"row.v.{name}": {"$type": "string"} for name in ("queue", "kind")}
    return [
        {"$match": {"$and": overlapping}},
        {"$project": {"row": ROWS}},
        {"$unwind": "$row"},
        *in_range,
        {"$match": are_names},
        {
            "$group": {
                "_id": {"minute": "$row.v.minute", "queue": "$row.v.queue", "kind": "$row.v.kind"},
                **{name: {"$sum": f"$row.v.{name}"} for name in counters},
            }
        },
    ]


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
