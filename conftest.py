"""Fixtures of all tests: one PostgreSQL and one MongoDB per run, and the examples of README and manual as tests.

Each Python block of a page is executed in the page's order, in an empty folder.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sybil import Sybil
from sybil.integration.pytest import SybilItem
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.sybil import SybilCollection
from xdist.scheduler.loadscope import LoadScopeScheduling

collect_ignore = ["docs/examples", "plugins/django/example"]
"""Projects with tests of their own, which `tests/test_example_backend.py` and `plugins/django/tests` run."""

if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    # the tests start many interpreters, and each would compile every module that it imports
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(__file__).parent / ".pytest_cache" / "bytecode"))

settings.register_profile("any machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

_before: list[Any] = []


def _enter_empty_folder(namespace: dict[str, Any]) -> None:
    folder = TemporaryDirectory()
    _before.append((Path.cwd(), folder))
    os.chdir(folder.name)
    namespace["__name__"] = "__main__"  # an example runs as a script


def _leave_folder(namespace: dict[str, Any]) -> None:
    previous, folder = _before.pop()
    os.chdir(previous)
    folder.cleanup()


_FOLDERS = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    excludes=["plugins/postgres/README.md", "plugins/mongo/README.md"],
    setup=_enter_empty_folder,
    teardown=_leave_folder,
)

_POSTGRES = Sybil(parsers=[PythonCodeBlockParser()], patterns=["plugins/postgres/README.md"], fixtures=["database_url"])
_MONGO = Sybil(parsers=[PythonCodeBlockParser()], patterns=["plugins/mongo/README.md"], fixtures=["mongo_database_url"])

_USUAL_KINDS = pytest.mark.filterwarnings("error::tallystick.KindFormatWarning")  # in all examples

pytest_collect_file = SybilCollection([_FOLDERS, _POSTGRES, _MONGO]).pytest()


@pytest.fixture
def database_url(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set DATABASE_URL, as an application has it in its environment."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    return postgres_url


@pytest.fixture
def mongo_database_url(mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set DATABASE_URL to a MongoDB."""
    monkeypatch.setenv("DATABASE_URL", mongo_url)
    return mongo_url


class Groups(LoadScopeScheduling):
    """Schedules a page, or a class, in one process, and every other test in any process.

    The blocks of a page use those before them. The tests of a `BackendConformance` share generated programs, which
    take longer than all other tests of the class.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, *classes, _ = nodeid.partition("[")[0].split("::")
        return "::".join([file, *classes]) if classes or file.endswith(".md") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """Return the scheduler that keeps a page or a class in one process."""
    return Groups(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the blocks of a page in order: each block uses the ones before it."""
    examples = [item for item in items if isinstance(item, SybilItem)]
    for example in examples:
        example.add_marker(_USUAL_KINDS)
    others = [item for item in items if not isinstance(item, SybilItem)]
    items[:] = sorted(examples, key=lambda item: (item.path, item.example.line)) + others


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Yield TALLYSTICK_TEST_POSTGRES_URL, or the URL of a server that is started for the run."""
    if url := os.environ.get("TALLYSTICK_TEST_POSTGRES_URL"):
        yield url
        return
    from servers import postgres_server  # noqa: PLC0415  # a run by --pyargs has no `tests`

    with postgres_server(durable=False) as server:
        yield server.url


@pytest.fixture(scope="session")
def mongo_url() -> Iterator[str]:
    """Yield TALLYSTICK_TEST_MONGO_URL, or the URL of a server that is started for the run."""
    if url := os.environ.get("TALLYSTICK_TEST_MONGO_URL"):
        yield url
        return
    from servers import mongo_server  # noqa: PLC0415  # a run by --pyargs has no `tests`

    with mongo_server() as server:
        yield server.url


@pytest.fixture(scope="session")
def replica_set_url() -> Iterator[str]:
    """Yield the URL of a MongoDB with transactions and change streams."""
    if url := os.environ.get("TALLYSTICK_TEST_MONGO_URL"):
        yield url
        return
    from servers import mongo_server  # noqa: PLC0415  # a run by --pyargs has no `tests`

    with mongo_server(members=1) as server:
        yield server.url
