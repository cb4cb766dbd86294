"""Read the server's time and the paused queues, as the first step of most calls."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from . import queries
from .collections import Collections
from .errors import not_set_up
from .location import Location


class ServerState(NamedTuple):
    """The server's time, and whether each known queue of the requested ones is paused."""

    now: datetime
    queues: Mapping[str, bool]


def read_state(store: Collections, location: Location, names: Collection[str] = ()) -> ServerState:
    """Read the server's time and the given queues in one round trip.

    Raises:
        NotSetUp: There is no store; it may have been torn down.
    """
    pipeline = queries.state_and_queues(store.queues.name, sorted(names)) if names else queries.STATE
    for found in store.store.aggregate(pipeline):
        return ServerState(found["now"], {queue["_id"]: bool(queue.get("paused")) for queue in found.get("queues", ())})
    raise not_set_up(location)


def unpaused(names: Collection[str], seen: ServerState) -> list[str]:
    """Return the queues that are not paused."""
    return [name for name in names if not seen.queues.get(name)]
