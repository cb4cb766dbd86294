"""The entry point: `dbm://` is served by `DbmBackend`."""

from windlass import Backend, hookimpl

from .backend import DbmBackend


@hookimpl
def windlass_backend() -> dict[str, type[Backend]]:
    """Offer the `dbm` scheme."""
    return {"dbm": DbmBackend}
