"""Create, recognize and drop the collections and their indexes.

The collection `store` contains one document with the version of the store. Only stores with this document belong to
Tallystick. `setup` writes it last, so its presence proves that the indexes exist. `teardown` first sets the version to
0.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError
from tallystick import Filter, ForeignStore, NotSetUp

from . import staging
from .collections import NAMES, Collections
from .errors import not_set_up
from .location import Location
from .queries import STORE

VERSION: Final = 1

CLAIMS: Final = "tallystick_claims"
DUE: Final = "tallystick_due"
HELD_KEYS: Final = "tallystick_held_keys"
ERRORS: Final = "tallystick_errors"

INDEXES: Final = (
    IndexModel(
        [("queue", ASCENDING), ("priority", DESCENDING), ("due", ASCENDING), ("_id", ASCENDING)],
        name=CLAIMS,
        partialFilterExpression={"due": {"$exists": True}},
    ),
    IndexModel(
        [("queue", ASCENDING), ("due", ASCENDING), ("_id", ASCENDING)],
        name=DUE,
        partialFilterExpression={"due": {"$exists": True}},
    ),
    IndexModel(
        [("lease_until", ASCENDING)],
        name="tallystick_leases",
        partialFilterExpression={"lease_until": {"$exists": True}},
    ),
    IndexModel(
        [("state", ASCENDING), ("finished_at", ASCENDING), ("_id", ASCENDING)],
        name="tallystick_finished",
        partialFilterExpression={"finished_at": {"$exists": True}},
    ),
    IndexModel(
        [("held_key", ASCENDING)],
        name=HELD_KEYS,
        unique=True,
        partialFilterExpression={"held_key": {"$exists": True}},
    ),
    IndexModel(
        [("error_type", ASCENDING), ("_id", ASCENDING)],
        name=ERRORS,
        partialFilterExpression={"error_type": {"$exists": True}},
    ),
    IndexModel(
        [("unique_key", ASCENDING), ("_id", ASCENDING)],
        name="tallystick_unique_keys",
        partialFilterExpression={"unique_key": {"$exists": True}},
    ),
    IndexModel([("batch", ASCENDING)], name="tallystick_batches", partialFilterExpression={"batch": {"$exists": True}}),
)
"""The indexes of `jobs`. All are partial, so the queries for current jobs do not slow down as finished jobs pile up.

Each adds `_id` if pages need its order. A job without an error and without a unique key has no entry in those of errors
and unique keys.
"""


REGISTER_INDEXES: Final[Mapping[str, tuple[IndexModel, ...]]] = {
    "schedules": (
        IndexModel(
            [("paused", ASCENDING), ("next_tick", ASCENDING), ("_id", ASCENDING)],
            name="tallystick_next_ticks",
            partialFilterExpression={"next_tick": {"$exists": True}},
        ),
        IndexModel(
            [("fired", ASCENDING)], name="tallystick_fired", partialFilterExpression={"fired": {"$exists": True}}
        ),
    ),
    "meters": (
        IndexModel(
            [("last", ASCENDING), ("first", ASCENDING)],
            name="tallystick_minutes",
            partialFilterExpression={"last": {"$exists": True}},
        ),
    ),
}
"""The indexes of the collections of schedules and meters. Workers are few, and have none."""


def hint(filter: Filter) -> dict[str, Any]:
    """Return the option of a find that names the index of errors, for a search in their text.

    Without it, the planner may read every record.
    """
    return {} if filter.error_text is None or filter.ids is not None else {"hint": ERRORS}


def setup(store: Collections, location: Location) -> None:
    """Create or complete the store. Repeat: each step is idempotent, also if several processes run it at once."""
    is_used = store.jobs.find_one({}, {"_id": 1}) is not None
    found = version(store, location)  # read after the jobs: a client that inserted them had set the store up before
    if is_used and found is None:
        raise ForeignStore(
            f"collection {store.jobs.name!r} of {location.shown} was not created by Tallystick (there is no document "
            f"{STORE['_id']!r} in {store.store.name!r}) and was not changed; choose another prefix with ?collection="
        )
    if found == 0:
        teardown(store, location)
    if not found:
        _make(store)
    staging.sweep(store)


def _make(store: Collections) -> None:
    store.jobs.create_indexes(list(INDEXES))
    store.schedules.create_indexes(list(REGISTER_INDEXES["schedules"]))
    store.meters.create_indexes(list(REGISTER_INDEXES["meters"]))
    with suppress(DuplicateKeyError):
        store.store.update_one(STORE, {"$setOnInsert": {"version": VERSION}}, upsert=True)


def check(store: Collections, location: Location) -> None:
    """Check that the store is set up.

    Raises:
        NotSetUp: There is no store, or its version is newer than this package.
    """
    if not version(store, location):
        raise not_set_up(location)


def version(store: Collections, location: Location) -> int | None:
    """Return the store's version: 0 during a teardown, None if there is no store."""
    found = store.store.find_one(STORE)
    if found is None:
        return None
    version = int(found["version"])
    if version > VERSION:
        raise NotSetUp(
            f"{location.shown}, collections {location.options.collection!r}, has version {version}, and this "
            f"tallystick-mongo supports version {VERSION} at most; upgrade tallystick-mongo"
        )
    return version


def teardown(store: Collections, location: Location) -> None:
    """Drop the store's collections. After an interruption, the next `teardown` or `setup` finishes it."""
    if version(store, location) is None:
        return
    store.store.update_one(STORE, {"$set": {"version": 0}})
    for what in NAMES:
        store.database[location.named(what)].drop()
