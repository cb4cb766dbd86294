"""The entry point: `memory://` is served by `MemoryBackend`."""

from windlass import Backend, hookimpl

from .backend import MemoryBackend


@hookimpl
def windlass_backend() -> dict[str, type[Backend]]:
    """Offer the `memory` scheme."""
    return {"memory": MemoryBackend}
