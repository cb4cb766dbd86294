"""The pytest door, on the backend in memory."""

from tallystick import Backend
from tallystick_conformance import BackendConformance
from tallystick_memory import MemoryBackend


class TestMemory(BackendConformance):
    """The memory backend, by its URL."""

    url = "memory://"


class TestMadeByHand(BackendConformance):
    """The same by a `make_backend`, without the URL."""

    def make_backend(self, namespace: str) -> Backend:
        """Open a store by a name of our own."""
        return MemoryBackend.from_url(f"memory://by_hand.{namespace}")
