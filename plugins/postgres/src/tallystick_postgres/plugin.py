"""The entry point: register `PostgresBackend` for `postgresql://...` and `postgres://...` URLs."""

from tallystick import hookimpl


@hookimpl
def tallystick_backend() -> dict[str, str]:
    """Return the backend class of each URL scheme."""
    return {
        "postgresql": "tallystick_postgres.backend:PostgresBackend",
        "postgres": "tallystick_postgres.backend:PostgresBackend",
    }
