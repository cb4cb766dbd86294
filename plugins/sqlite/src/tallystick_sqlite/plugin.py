"""The entry point: register `SqliteBackend` for `sqlite:///...` URLs."""

from tallystick import hookimpl


@hookimpl
def tallystick_backend() -> dict[str, str]:
    """Return the backend class of the `sqlite` scheme."""
    return {"sqlite": "tallystick_sqlite.backend:SqliteBackend"}
