"""The entry point: `memory://` is served by `MemoryBackend`."""

from tallystick import hookimpl


@hookimpl
def tallystick_backend() -> dict[str, str]:
    """Offer the `memory` scheme."""
    return {"memory": "tallystick_memory.backend:MemoryBackend"}
