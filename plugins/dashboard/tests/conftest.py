"""A runner with jobs in every state, and clients of its dashboard, on memory and on SQLite."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tallystick import Runner
from tallystick_dashboard import dashboard

from .application import make_runner

collect_ignore = [] if find_spec("playwright") else ["browser"]
"""The group `browser` of dependencies is not installed by default."""

Visit = Callable[..., TestClient]

BROWSER = {"accept": "text/html", "sec-fetch-site": "same-origin"}
PROGRAM = {"accept": "application/json", "sec-fetch-site": "none"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on the `STORES` of its module; by default on memory and on SQLite."""
    if "runner" in metafunc.fixturenames:
        metafunc.parametrize("runner", getattr(metafunc.module, "STORES", ("memory", "sqlite")), indirect=True)


@pytest.fixture
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runner]:
    """Return a runner with registered jobs and an empty store."""
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/jobs.db"
    with make_runner(url) as runner:
        yield runner


@pytest.fixture
def visit(runner: Runner) -> Iterator[Visit]:
    """Return a function that makes a client of a dashboard with some settings: a browser on this machine."""
    with ExitStack() as clients:

        def make(headers: dict[str, str] = BROWSER, **settings: Any) -> TestClient:
            given = {"allowed_hosts": ("testserver",), "interval": 0, **settings}
            client = TestClient(dashboard(runner, **given), client=("127.0.0.1", 50_000), follow_redirects=False)
            client.headers.clear()
            client.headers.update(headers)
            return clients.enter_context(client)  # keeps one event loop for all requests

        yield make


@pytest.fixture
def browser(visit: Visit) -> TestClient:
    """Return a browser on this machine."""
    return visit()


@pytest.fixture
def program(visit: Visit) -> TestClient:
    """Return a program on this machine."""
    return visit(PROGRAM)
