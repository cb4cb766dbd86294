"""The pytest class on the memory backend."""

from tallystick import Backend
from tallystick_conformance import BackendConformance
from tallystick_memory import MemoryBackend


class TestMemory(BackendConformance):
    """Tests the memory backend by its URL."""

    url = "memory://"


class TestMadeByHand(BackendConformance):
    """Tests the memory backend through `make_backend`."""

    def make_backend(self, namespace: str) -> Backend:
        """Open a store under a custom name."""
        return MemoryBackend.from_url(f"memory://by_hand.{namespace}")
