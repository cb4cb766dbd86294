"""The entry point: `postgresql://...` and `postgres://...` are served by `PostgresBackend`."""

from tallystick import hookimpl


@hookimpl
def tallystick_backend() -> dict[str, str]:
    """Offer PostgreSQL's two schemes."""
    return {
        "postgresql": "tallystick_postgres.backend:PostgresBackend",
        "postgres": "tallystick_postgres.backend:PostgresBackend",
    }
