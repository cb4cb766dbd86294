"""The known queues. Each has a document, written before its first job is visible or at its first pause."""

from collections.abc import Iterable

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError
from tallystick import Queue

from . import queries
from .collections import Collections
from .errors import rejected
from .guarded_writes import sliced


def known(store: Collections) -> list[Queue]:
    """Return the known queues, ordered by name."""
    return [Queue(str(document["_id"]), bool(document.get("paused"))) for document in store.queues.find().sort("_id")]


def make_known(store: Collections, names: Iterable[str]) -> None:
    """Insert the documents of new queues. Known queues stay unchanged."""
    for some in sliced(sorted(names)):
        updates = [UpdateOne({"_id": name}, queries.KNOWN, upsert=True) for name in some]
        try:
            store.queues.bulk_write(updates, ordered=False, session=store.session)
        except BulkWriteError as exc:
            rejected(exc)  # duplicates are queues that another client has just inserted


def pause(store: Collections, name: str) -> None:
    """Pause a queue, and make it known."""
    try:
        store.queues.update_one({"_id": name}, queries.PAUSED, upsert=True)
    except DuplicateKeyError:  # another client has just inserted it
        store.queues.update_one({"_id": name}, queries.PAUSED)


def resume(store: Collections, name: str) -> None:
    """Resume a queue if it is known."""
    store.queues.update_one({"_id": name}, queries.RESUMED)
