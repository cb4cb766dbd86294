"""What `pytest --pyargs windlass_conformance --windlass-url URL` collects."""

import pytest

from .known import parsed
from .suite import BackendConformance


class TestBackend(BackendConformance):
    """The backend that the options name."""

    @pytest.fixture(autouse=True)
    def _named(self, request: pytest.FixtureRequest) -> None:
        cls = type(self)
        cls.url = request.config.getoption("--windlass-url")
        if not cls.url:
            pytest.skip("name the backend: --windlass-url URL")
        cls.profile = request.config.getoption("--windlass-profile")
        cls.known_failures = parsed(request.config.getoption("--windlass-known"))
