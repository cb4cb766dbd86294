"""The pytest plugin: the fixtures `manual_jobs` and `inline_jobs`, for the runner that the project's settings name."""

from collections.abc import Iterator
from pkgutil import resolve_name

import pytest

from ..messages.safe_repr import safe_repr
from ..runner.runner import Runner
from .job_tester import JobTester
from .modes import inline, manual


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings `tallystick_runner` and `tallystick_store`, and the option `--tallystick-store`."""
    parser.addini("tallystick_runner", "The runner under test, as module:attribute.")
    parser.addini("tallystick_store", "Where tests create their stores.", default="memory://")
    parser.getgroup("tallystick").addoption("--tallystick-store", metavar="URL", help="Overrides tallystick_store.")


@pytest.fixture
def tallystick_runner(pytestconfig: pytest.Config) -> Runner:
    """Return the application's runner. Override this fixture, or set `tallystick_runner` in the pytest settings."""
    target: str = pytestconfig.getini("tallystick_runner")
    if not target:
        raise pytest.UsageError(
            'no runner is set; write tallystick_runner = "app.jobs:runner" in the pytest settings, or define a fixture '
            "tallystick_runner that returns the runner"
        )
    found = resolve_name(target)
    runner = found() if callable(found) and not isinstance(found, Runner) else found
    if not isinstance(runner, Runner):
        raise pytest.UsageError(f"tallystick_runner is {target!r}, which is {safe_repr(runner)}; it must be a Runner")
    return runner


@pytest.fixture(scope="session")
def tallystick_store(pytestconfig: pytest.Config) -> str:
    """Return the URL next to which the tests create their stores; by default memory://."""
    return str(pytestconfig.getoption("tallystick_store") or pytestconfig.getini("tallystick_store"))


@pytest.fixture
def manual_jobs(tallystick_runner: Runner, tallystick_store: str) -> Iterator[JobTester]:
    """Give the runner a new store for this test. Jobs run when the test calls `manual_jobs.drain()`."""
    with manual(tallystick_runner, url=tallystick_store) as jobs:
        yield jobs


@pytest.fixture
def inline_jobs(tallystick_runner: Runner, tallystick_store: str) -> Iterator[JobTester]:
    """Give the runner a new store for this test. Each due job runs inside the call that enqueues it."""
    with inline(tallystick_runner, url=tallystick_store) as jobs:
        yield jobs
