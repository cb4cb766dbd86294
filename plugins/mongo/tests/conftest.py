import socket
from collections.abc import Iterator
from uuid import uuid4

import pytest
from tallystick import open_backend
from tallystick_mongo import MongoBackend
from tallystick_mongo.collections import Collections


@pytest.fixture
def url(mongo_url: str) -> Iterator[str]:
    """Return the URL of new collections; remove them after the test."""
    url = MongoBackend.namespaced(mongo_url, f"test_{uuid4().hex[:12]}")
    yield url
    with open_backend(url) as backend:
        backend.teardown()


@pytest.fixture
def backend(url: str) -> Iterator[MongoBackend]:
    with MongoBackend.from_url(url) as backend:
        backend.setup()
        yield backend


@pytest.fixture
def store(backend: MongoBackend) -> Collections:
    """Return the backend's collections, to inspect and damage them."""
    return backend._connection.collections


@pytest.fixture
def with_transactions(replica_set_url: str) -> Iterator[MongoBackend]:
    url = MongoBackend.namespaced(replica_set_url, f"test_{uuid4().hex[:12]}")
    with MongoBackend.from_url(url) as backend:
        if not backend.capabilities.transactions:
            pytest.skip("the configured server has no transactions")
        backend.setup()
        yield backend
        backend.teardown()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Return a port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])
