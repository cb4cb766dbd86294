from collections.abc import Iterator
from pathlib import Path

import pytest
from tallystick_sqlite import SqliteBackend


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def backend(url: str) -> Iterator[SqliteBackend]:
    with SqliteBackend.from_url(url) as backend:
        backend.setup()
        yield backend
