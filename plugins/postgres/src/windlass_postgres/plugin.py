"""The entry point: `postgresql://...` and `postgres://...` are served by `PostgresBackend`."""

from windlass import Backend, hookimpl

from .backend import PostgresBackend


@hookimpl
def windlass_backend() -> dict[str, type[Backend]]:
    """Offer PostgreSQL's two schemes."""
    return {"postgresql": PostgresBackend, "postgres": PostgresBackend}
