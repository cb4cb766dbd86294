"""What a call asks the store first: the server's time, and which of its queues are known."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from . import queries
from .collections import Collections
from .errors import not_set_up
from .location import Location


class Seen(NamedTuple):
    """The server's clock, and of the queues asked for those that are known, each with whether it is paused."""

    now: datetime
    queues: Mapping[str, bool]


def look(store: Collections, location: Location, names: Collection[str] = ()) -> Seen:
    """Look, in one round trip.

    Raises:
        NotSetUp: there is no store; somebody may have torn it down.
    """
    pipeline = queries.look_at_queues(store.queues.name, sorted(names)) if names else queries.LOOK
    for found in store.store.aggregate(pipeline):
        return Seen(found["now"], {queue["_id"]: bool(queue.get("paused")) for queue in found.get("queues", ())})
    raise not_set_up(location)


def opened(names: Collection[str], seen: Seen) -> list[str]:
    """Return those queues that are not paused."""
    return [name for name in names if not seen.queues.get(name)]
