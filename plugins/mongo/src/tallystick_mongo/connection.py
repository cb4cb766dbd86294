"""Connect one backend to MongoDB on first use, and detect the capabilities of the deployment."""

from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple, Self

import pymongo
from pymongo import MongoClient
from tallystick import ConfigurationError, Unsupported, forks
from tallystick.backends.lifetime import Lifetime

from .collections import AnyClient, Collections
from .errors import mapped
from .location import Location

OLDEST_SERVER = "6.0"
_OLDEST_WIRE_VERSION = 17
"""The wire protocol version of MongoDB 6.0."""

_CLOSE_SECONDS = 1.0
"""How long `close` may take to end sessions and cursors on the server. The server also expires them by itself."""


class Deployment(NamedTuple):
    """The kind of deployment, and what it supports, as the server reports it."""

    kind: str
    writable: bool
    has_transactions: bool
    """Also means change streams: both need the oplog of a replica set, which a sharded cluster has too."""

    @classmethod
    def of(cls, hello: dict[str, Any]) -> Self:
        """Parse the reply to `hello`."""
        if hello.get("msg") == "isdbgrid":
            return cls("sharded cluster", writable=True, has_transactions=True)
        replicated = "setName" in hello
        kind = f"replica set {hello['setName']!r}" if replicated else "single node"
        return cls(kind, bool(hello.get("isWritablePrimary")), has_transactions=replicated)


class Connection:
    """The driver's client, opened once. The driver pools connections, finds a new primary, and retries calls."""

    def __init__(self, location: Location, check: Callable[[Collections, Location], None], lifetime: Lifetime) -> None:
        self._location = location
        self._check = check
        self._lifetime = lifetime
        self._lock = Lock()
        self._client: AnyClient | None = None
        self._deployment: Deployment | None = None
        self._is_set_up = False
        forks.watch(self)

    @property
    def client(self) -> AnyClient:
        """The driver's client, connected."""
        self._lifetime.check()  # before the lock, which a thread of the parent may have held at a fork
        with self._lock:
            self._lifetime.check()
            if self._client is None:
                self._client = MongoClient(self._location.uri, **self._location.arguments)
            client = self._client
        if self._deployment is None:  # outside the lock, so that a server that does not respond cannot block `close`
            self._deployment = self._hello(client)
        return client

    @property
    def deployment(self) -> Deployment:
        """The deployment, as detected at the first connection."""
        if self._deployment is None:
            with mapped(self._location):
                self.client  # noqa: B018  # connects and sets _deployment
        assert self._deployment is not None
        return self._deployment

    def require_transactions(self) -> None:
        """Raise `Unsupported` if the deployment has no transactions."""
        if not self.deployment.has_transactions:
            raise Unsupported(
                f"{self._location.shown} is a {self.deployment.kind}, which has no transactions (they are not "
                "declared); use a replica set (one member is enough)"
            )

    @property
    def collections(self) -> Collections:
        """The store's collections, once they are known to be set up by this version.

        Raises:
            NotSetUp: There is no store, or its version is newer than this package.
        """
        collections = self._collections()
        if not self._is_set_up:
            with mapped(self._location):
                self._check(collections, self._location)
            self._is_set_up = True
        return collections

    def unchecked(self) -> Collections:
        """Return the store's collections, whether or not they are set up. Check this again at the next use."""
        collections = self._collections()
        self._is_set_up = False
        return collections

    def _collections(self) -> Collections:
        with mapped(self._location):
            return Collections.of(self.client, self._location)

    def _hello(self, client: AnyClient) -> Deployment:
        hello = client.admin.command("hello")
        if hello["maxWireVersion"] < _OLDEST_WIRE_VERSION:
            raise ConfigurationError(
                f"{self._location.shown} has wire version {hello['maxWireVersion']}; Tallystick needs at least "
                f"{_OLDEST_WIRE_VERSION}: upgrade to MongoDB {OLDEST_SERVER} or later"
            )
        return Deployment.of(hello)

    def after_fork_in_child(self) -> None:
        """Drop the parent's client; `forks` keeps a reference to it."""
        self._client = None

    def close(self) -> None:
        """Close the client, at the end of its lifetime."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            with pymongo.timeout(_CLOSE_SECONDS):  # else the driver searches for a lost server until its own timeout
                client.close()
