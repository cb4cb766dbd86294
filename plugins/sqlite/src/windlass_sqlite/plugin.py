"""The entry point: `sqlite:///...` is served by `SqliteBackend`."""

from windlass import Backend, hookimpl

from .backend import SqliteBackend


@hookimpl
def windlass_backend() -> dict[str, type[Backend]]:
    """Offer the `sqlite` scheme."""
    return {"sqlite": SqliteBackend}
