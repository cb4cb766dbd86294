"""What a call asks the store first: the server's time, which setup made it, and which queues are open."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from bson import ObjectId

from . import queries
from .collections import Collections
from .errors import not_set_up
from .location import Location


class Seen(NamedTuple):
    """The server's clock, the mark of the setup, and those of the queues asked for that are not paused."""

    now: datetime
    made: ObjectId | None
    open: Sequence[str]


def look(store: Collections, location: Location, names: Sequence[str] = ()) -> Seen:
    """Look, in one round trip.

    Raises:
        NotSetUp: there is no store; somebody may have torn it down.
    """
    pipeline = queries.look_at_queues(store.queues.name, names) if names else queries.LOOK
    for found in store.store.aggregate(pipeline):
        paused = {queue["_id"] for queue in found.get("paused", ())}
        return Seen(found["now"], found.get("made"), [name for name in names if name not in paused])
    raise not_set_up(location)
