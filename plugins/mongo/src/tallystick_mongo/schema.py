"""Making the collections and their indexes, knowing them again, and removing them.

A store is ours when its collection `store` has the one document that says which version it has. It is written last, so
that whoever finds it finds the indexes too; and a teardown makes its version 0 first.
"""

from contextlib import suppress
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError
from tallystick import ForeignStore, NotSetUp

from . import staging
from .collections import NAMES, Collections
from .errors import not_set_up
from .location import Location
from .queries import STORE

VERSION: Final = 1

CLAIMS: Final = "tallystick_claims"
DUE: Final = "tallystick_due"
HELD_KEYS: Final = "tallystick_held_keys"

INDEXES: Final = (
    IndexModel(
        [("queue", ASCENDING), ("priority", DESCENDING), ("due", ASCENDING), ("_id", ASCENDING)],
        name=CLAIMS,
        partialFilterExpression={"due": {"$exists": True}},
    ),
    IndexModel(
        [("queue", ASCENDING), ("due", ASCENDING)], name=DUE, partialFilterExpression={"due": {"$exists": True}}
    ),
    IndexModel(
        [("lease_until", ASCENDING)],
        name="tallystick_leases",
        partialFilterExpression={"lease_until": {"$exists": True}},
    ),
    IndexModel(
        [("state", ASCENDING), ("finished_at", ASCENDING)],
        name="tallystick_finished",
        partialFilterExpression={"finished_at": {"$exists": True}},
    ),
    IndexModel(
        [("held_key", ASCENDING)],
        name=HELD_KEYS,
        unique=True,
        partialFilterExpression={"held_key": {"$exists": True}},
    ),
    IndexModel([("batch", ASCENDING)], name="tallystick_batches", partialFilterExpression={"batch": {"$exists": True}}),
)
"""The indexes of jobs. Each holds only the documents that its question is about: history costs the others nothing."""


def setup(store: Collections, location: Location) -> None:
    """Create or complete the store. Each step may be repeated, and made by several at once."""
    is_used = store.jobs.find_one({}, {"_id": 1}) is not None
    found = version(store, location)  # asked after: whoever inserted that had set the store up
    if is_used and found is None:
        raise ForeignStore(
            f"collection {store.jobs.name!r} of {location.shown} was not made by Tallystick (there is no document "
            f"{STORE['_id']!r} in {store.store.name!r}); it was left as it was. Name others with ?collection="
        )
    if found == 0:
        teardown(store, location)
    if not found:
        _make(store)
    staging.sweep(store)


def _make(store: Collections) -> None:
    store.jobs.create_indexes(list(INDEXES))
    with suppress(DuplicateKeyError):
        store.store.update_one(STORE, {"$setOnInsert": {"version": VERSION}}, upsert=True)


def check(store: Collections, location: Location) -> None:
    """Refuse collections that this version has not set up.

    Raises:
        NotSetUp: there is no store, or one of another version.
    """
    if not version(store, location):
        raise not_set_up(location)


def version(store: Collections, location: Location) -> int | None:
    """Return the store's version, 0 while it is torn down; None where there is no store."""
    found = store.store.find_one(STORE)
    if found is None:
        return None
    version = int(found["version"])
    if version > VERSION:
        raise NotSetUp(
            f"{location.shown}, collections {location.options.collection!r}, has version {version}, made by a newer "
            f"tallystick-mongo; this one knows version {VERSION}: upgrade it"
        )
    return version


def teardown(store: Collections, location: Location) -> None:
    """Remove our collections. One that is interrupted is gone on with by the next, or by setup."""
    if version(store, location) is None:
        return
    store.store.update_one(STORE, {"$set": {"version": 0}})
    for what in NAMES:
        store.database[location.named(what)].drop()
