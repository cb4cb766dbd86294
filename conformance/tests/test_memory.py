"""The pytest class on the memory backend."""

import pytest
from tallystick import Backend
from tallystick_conformance import BackendConformance
from tallystick_memory import MemoryBackend


@pytest.mark.kit
class TestMemory(BackendConformance):
    """Tests the memory backend by its URL."""

    url = "memory://"


class TestMadeByHand(BackendConformance):
    """Tests the memory backend through `make_backend`."""

    def make_backend(self, namespace: str) -> Backend:
        """Open a store under a custom name."""
        return MemoryBackend.from_url(f"memory://by_hand.{namespace}")

    @pytest.mark.parametrize("clause_id", ["SETUP-03", "RACE-01", "WAIT-05", "CAP-06", "CLOSE-01"])
    def test_clause(self, clause_id: str) -> None:
        """The way to open a client matters to these: they use two stores, threads, processes and a closed client."""
        super().test_clause(clause_id)
