"""Which queues there are: each has a document from before its first job is seen, or from its first pause."""

from collections.abc import Iterable

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError
from tallystick import Queue

from . import queries
from .collections import Collections
from .errors import refused
from .guarded_writes import sliced


def known(store: Collections) -> list[Queue]:
    """Return the queues by name."""
    return [Queue(str(document["_id"]), bool(document.get("paused"))) for document in store.queues.find().sort("_id")]


def make_known(store: Collections, names: Iterable[str]) -> None:
    """Note queues; those that are known stay as they are."""
    for some in sliced(sorted(names)):
        updates = [UpdateOne({"_id": name}, queries.KNOWN, upsert=True) for name in some]
        try:
            store.queues.bulk_write(updates, ordered=False, session=store.session)
        except BulkWriteError as exc:
            refused(exc)  # what is left are queues that another has just noted


def pause(store: Collections, name: str) -> None:
    """Pause a queue, known or not."""
    try:
        store.queues.update_one({"_id": name}, queries.PAUSED, upsert=True)
    except DuplicateKeyError:  # another has just made it known
        store.queues.update_one({"_id": name}, queries.PAUSED)


def resume(store: Collections, name: str) -> None:
    """Resume a queue, if it is known."""
    store.queues.update_one({"_id": name}, queries.RESUMED)
