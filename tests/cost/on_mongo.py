"""The counters of MongoDB: the commands that the driver sends, and the writes in them."""

from collections import Counter
from dataclasses import replace

from cost import plain_path
from cost.ledger import StoreCosts
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from servers import mongo
from tallystick_mongo import MongoBackend
from tallystick_mongo.location import Location

_WRITES = {"insert": "documents", "update": "updates", "delete": "deletes"}
"""The commands that write, each with its list of writes; `findAndModify` is one write."""


class Commands(CommandListener):
    """Counts commands and writes."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()
        self.writes = 0

    def started(self, event: CommandStartedEvent) -> None:
        """Count a command."""
        self.names[event.command_name] += 1
        if event.command_name in _WRITES:
            self.writes += len(event.command[_WRITES[event.command_name]])
        self.writes += event.command_name == "findAndModify"

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Ignore a reply."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Ignore a reply."""

    def read(self) -> dict[str, int]:
        """Return the counts so far."""
        return {"commands": self.names.total(), "writes": self.writes}


def measure(url: str | None = None) -> StoreCosts:
    """Return the costs on the server at a URL, else on a new single node."""
    commands = Commands()
    with mongo(url) as server:
        location = Location.parse(MongoBackend.namespaced(server, "cost"))
        listened = replace(location, arguments={**location.arguments, "event_listeners": [commands]})
        with MongoBackend(listened) as backend:
            backend.setup()
            try:
                return plain_path.measure(backend, commands.read)
            finally:
                backend.teardown()
