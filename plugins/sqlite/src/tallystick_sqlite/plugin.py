"""The entry point: `sqlite:///...` is served by `SqliteBackend`."""

from tallystick import Backend, hookimpl

from .backend import SqliteBackend


@hookimpl
def tallystick_backend() -> dict[str, type[Backend]]:
    """Offer the `sqlite` scheme."""
    return {"sqlite": SqliteBackend}
