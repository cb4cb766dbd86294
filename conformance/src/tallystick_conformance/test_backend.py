"""The tests that `pytest --pyargs tallystick_conformance --tallystick-url URL` collects."""

import pytest

from .running.known import parsed
from .running.suite import BackendConformance


class TestBackend(BackendConformance):
    """Tests of the backend at `--tallystick-url`."""

    @pytest.fixture(autouse=True)
    def _named(self, request: pytest.FixtureRequest) -> None:
        cls = type(self)
        cls.url = request.config.getoption("--tallystick-url")
        if not cls.url:
            pytest.skip("no backend was named; pass --tallystick-url URL")
        cls.profile = request.config.getoption("--tallystick-profile")
        cls.known_failures = parsed(request.config.getoption("--tallystick-known"))
