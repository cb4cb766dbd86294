"""The entry point: `dbm://` is served by `DbmBackend`."""

from tallystick import Backend, hookimpl

from .backend import DbmBackend


@hookimpl
def tallystick_backend() -> dict[str, type[Backend]]:
    """Offer the `dbm` scheme."""
    return {"dbm": DbmBackend}
