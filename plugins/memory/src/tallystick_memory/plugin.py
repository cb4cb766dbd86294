"""The entry point: `memory://` is served by `MemoryBackend`."""

from tallystick import Backend, hookimpl

from .backend import MemoryBackend


@hookimpl
def tallystick_backend() -> dict[str, type[Backend]]:
    """Offer the `memory` scheme."""
    return {"memory": MemoryBackend}
