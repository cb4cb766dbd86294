"""The entry point: `MongoBackend` serves `mongodb://...` and `mongodb+srv://...`."""

from tallystick import hookimpl


@hookimpl
def tallystick_backend() -> dict[str, str]:
    """Register MongoDB's two URL schemes."""
    return {"mongodb": "tallystick_mongo.backend:MongoBackend", "mongodb+srv": "tallystick_mongo.backend:MongoBackend"}
