"""The driver's client of one backend, opened at its first use, and what the deployment behind it can do."""

from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple, Self

import pymongo
from pymongo import MongoClient
from tallystick import ConfigurationError, forks

from .collections import AnyClient, Collections
from .errors import closed, mapped
from .location import Location

OLDEST_SERVER = "6.0"
_OLDEST_WIRE_VERSION = 17
"""The number of the protocol that MongoDB 6.0 speaks; each release has its own."""

_LONGEST_GOODBYE = 1.0
"""Seconds in which a server is told that a client's sessions and cursors are over; it forgets them anyway."""


class Deployment(NamedTuple):
    """What a server says of itself and of those that it belongs to."""

    kind: str
    writable: bool
    has_transactions: bool
    """And change streams: both need the log of a replica set, which is behind a mongos too."""

    @classmethod
    def of(cls, hello: dict[str, Any]) -> Self:
        """Read the answer to `hello`."""
        if hello.get("msg") == "isdbgrid":
            return cls("sharded cluster", writable=True, has_transactions=True)
        replicated = "setName" in hello
        kind = f"replica set {hello['setName']!r}" if replicated else "single node"
        return cls(kind, bool(hello.get("isWritablePrimary")), has_transactions=replicated)


class Connection:
    """A client that is opened once. The driver keeps its pool, finds the primary again, and repeats what it may."""

    def __init__(self, location: Location, check: Callable[[Collections, Location], None]) -> None:
        self._location = location
        self._check = check
        self._lock = Lock()
        self._client: AnyClient | None = None
        self._deployment: Deployment | None = None
        self._is_set_up = False
        self._closed = False
        self._owner = forks.Owner()
        forks.watch(self)

    @property
    def client(self) -> AnyClient:
        """The driver's client, connected."""
        self._owner.check()
        with self._lock:
            self.refuse_closed()
            if self._client is None:
                self._client = MongoClient(self._location.uri, **self._location.arguments)
            client = self._client
        if self._deployment is None:  # asked without the lock: a silent server must not hold up `close`
            self._deployment = self._look(client)
        return client

    @property
    def deployment(self) -> Deployment:
        """What it is connected to, as it was at first."""
        if self._deployment is None:
            with mapped(self._location):
                self.client  # noqa: B018  # which looks
        assert self._deployment is not None
        return self._deployment

    @property
    def any(self) -> Collections:
        """The store's collections, whether they are set up or not."""
        with mapped(self._location):
            return Collections.of(self.client, self._location)

    @property
    def collections(self) -> Collections:
        """The store's collections, found to be set up by this version.

        Raises:
            NotSetUp: they are not, or by another one.
        """
        collections = self.any
        if not self._is_set_up:
            with mapped(self._location):
                self._check(collections, self._location)
            self._is_set_up = True
        return collections

    def forget(self) -> None:
        """Look again at the next use whether the store is set up."""
        self._is_set_up = False

    def _look(self, client: AnyClient) -> Deployment:
        hello = client.admin.command("hello")
        if hello["maxWireVersion"] < _OLDEST_WIRE_VERSION:
            raise ConfigurationError(
                f"{self._location.shown} speaks version {hello['maxWireVersion']} of MongoDB's protocol; Tallystick "
                f"needs {_OLDEST_WIRE_VERSION}, that of MongoDB {OLDEST_SERVER}, or later"
            )
        return Deployment.of(hello)

    def after_fork_in_child(self) -> None:
        """Drop the client of the parent, which `forks` keeps."""
        self._client = None

    def refuse_closed(self) -> None:
        """Raise `Closed` after `close`, and in a forked child."""
        self._owner.check()
        if self._closed:
            raise closed()

    def close(self) -> None:
        """Close the client. Repeat: harmless, as it is in a forked child."""
        if not self._owner.is_this_process:
            return
        with self._lock:
            self._closed = True
            client, self._client = self._client, None
        if client is not None:
            with pymongo.timeout(_LONGEST_GOODBYE):  # else the driver looks for a server that is gone as for a call
                client.close()
