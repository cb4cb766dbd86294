"""The entry point: register `MemoryBackend` for `memory://` URLs."""

from tallystick import hookimpl


@hookimpl
def tallystick_backend() -> dict[str, str]:
    """Return the backend class of the `memory` scheme."""
    return {"memory": "tallystick_memory.backend:MemoryBackend"}
