"""All updates of jobs: constants, and functions that insert values.

An update pipeline must wrap a caller's values in `$literal`, because it reads text that begins with `$` as a field.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from bson import ObjectId
from tallystick import CLAIMABLE, ERRORS_KEPT, AttemptError, Changes, Progress, State

from .documents import HIDDEN
from .queries import WAITING, Pipeline, Query

ABSENT: Final = "$$REMOVE"
RUNNING_NOW: Final = {"$eq": ["$state", State.RUNNING]}
KEY: Final = {"$cond": [{"$gt": ["$unique_key", None]}, "$unique_key", ABSENT]}
KEY_HELD: Final = {"$cond": [{"$gt": ["$held_key", None]}, "$held_key", ABSENT]}
HAS_TIME: Final = {"$gt": ["$held_until", None]}
KEY_AFTER_THE_END: Final = {"$cond": [{"$or": [{"$eq": ["$unique_until", "purged"]}, HAS_TIME]}, KEY_HELD, ABSENT]}


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
    gone = {"due": "", "progress": "", "held_key": ""} if frees_key else {"due": "", "progress": ""}
    return {"$set": begun, "$unset": gone}


def extended(until: datetime, now: datetime) -> Pipeline:
    """Extend a lease, and record in the same step whether a cancellation was requested."""
    to_stop = {"$cond": ["$cancel_requested", True, ABSENT]}
    return [{"$set": {"lease_until": until, "updated_at": now, "told_to_stop": to_stop}}]


def reported(progress: Progress, now: datetime) -> Query:
    """Set the progress of an attempt."""
    return {"$set": {"progress": progress.to_json(), "updated_at": now}}


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


FREED: Final[Query] = {"$unset": {"held_key": ""}}


_STATE: Final = {"$ifNull": ["$restored", State.PENDING.value]}

REVEALED: Final[Pipeline] = [
    {
        "$set": {
            "state": _STATE,
            "due": {"$cond": [{"$in": [_STATE, sorted(CLAIMABLE)]}, "$run_at", ABSENT]},
            "batch": ABSENT,
            "restored": ABSENT,
        }
    }
]
"""Makes the hidden jobs of a batch pending, and gives the records of a `restore` their own state."""


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
