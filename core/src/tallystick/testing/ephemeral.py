"""A store that exists for one test."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from ..hooks.plugins import installed, open_backend


@contextmanager
def ephemeral(url: str = "memory://") -> Iterator[str]:
    """Create a store next to the one at a URL, and yield its URL. The store is removed when the block ends.

    The new store is another file, schema or database on the same server, so tests can run at the same time. The store
    at the given URL is not used, and need not exist.
    """
    own = installed().backend(url).namespaced(url, f"test_{uuid4().hex[:16]}")
    with open_backend(own) as backend:
        backend.setup()
        try:
            yield own
        finally:
            backend.teardown()
