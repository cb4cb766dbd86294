"""The entry point: `mongodb://...` and `mongodb+srv://...` are served by `MongoBackend`."""

from tallystick import Backend, hookimpl

from .backend import MongoBackend


@hookimpl
def tallystick_backend() -> dict[str, type[Backend]]:
    """Offer MongoDB's two schemes."""
    return {"mongodb": MongoBackend, "mongodb+srv": MongoBackend}
