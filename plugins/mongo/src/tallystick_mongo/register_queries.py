"""All filters, updates, pipelines and sort orders of schedules, workers and meters.

See `staging` for the fields `staging` and `fired`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bson import ObjectId

from .queries import DATE, Pipeline, Query, within

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
