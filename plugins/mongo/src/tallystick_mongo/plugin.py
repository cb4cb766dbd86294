"""The entry point: `mongodb://...` and `mongodb+srv://...` are served by `MongoBackend`."""

from tallystick import hookimpl


@hookimpl
def tallystick_backend() -> dict[str, str]:
    """Offer MongoDB's two schemes."""
    return {"mongodb": "tallystick_mongo.backend:MongoBackend", "mongodb+srv": "tallystick_mongo.backend:MongoBackend"}
