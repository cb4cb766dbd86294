"""The entry point: `postgresql://...` and `postgres://...` are served by `PostgresBackend`."""

from tallystick import Backend, hookimpl

from .backend import PostgresBackend


@hookimpl
def tallystick_backend() -> dict[str, type[Backend]]:
    """Offer PostgreSQL's two schemes."""
    return {"postgresql": PostgresBackend, "postgres": PostgresBackend}
