"""The entry point: `DbmBackend` serves `dbm://`."""

from tallystick import hookimpl


@hookimpl
def tallystick_backend() -> dict[str, str]:
    """Register the `dbm` scheme."""
    return {"dbm": "tallystick_dbm.backend:DbmBackend"}
