"""The entry point: `sqlite:///...` is served by `SqliteBackend`."""

from tallystick import hookimpl


@hookimpl
def tallystick_backend() -> dict[str, str]:
    """Offer the `sqlite` scheme."""
    return {"sqlite": "tallystick_sqlite.backend:SqliteBackend"}
