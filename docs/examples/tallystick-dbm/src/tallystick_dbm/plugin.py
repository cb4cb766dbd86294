"""The entry point: `dbm://` is served by `DbmBackend`."""

from tallystick import hookimpl


@hookimpl
def tallystick_backend() -> dict[str, str]:
    """Offer the `dbm` scheme."""
    return {"dbm": "tallystick_dbm.backend:DbmBackend"}
