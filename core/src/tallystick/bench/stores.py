"""A store of the benchmark's own: created beside the user's store, and removed at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from ..contract.backend import Backend
from ..errors import ConfigurationError, NotSetUp
from ..hooks.plugins import installed, open_backend
from ..urls import redact


@contextmanager
def new_store(url: str) -> Iterator[str]:
    """Create a store in a new namespace of this URL, and yield its URL. Remove it at the end, whatever happens.

    Raises:
        ConfigurationError: The namespace contains jobs. Nothing was changed.
    """
    own = installed().backend(url).namespaced(url, f"bench_{uuid4().hex[:12]}")
    with open_backend(own) as backend:
        _check_new(backend, own)
        try:
            backend.setup()
            yield own
        finally:
            backend.teardown()


def _check_new(backend: Backend, url: str) -> None:
    try:
        found = backend.stats()
    except NotSetUp:
        return
    if found.total or found.by_queue:
        raise ConfigurationError(
            f"{redact(url)} should be a new store, but has {found.total:,} jobs in {len(found.by_queue):,} queues; the "
            "benchmark does not touch them. The backend's `namespaced` must return the URL of a separate store"
        )
