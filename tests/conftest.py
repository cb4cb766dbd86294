"""What tests across distributions share: a store of each backend, and processes that are gone afterwards."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import JOBS, Spawn

BACKENDS = ("memory", "sqlite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--backend", choices=BACKENDS, help="only this backend; all if not given")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "url" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--backend")
        metafunc.parametrize("url", [chosen] if chosen else BACKENDS, indirect=True)
    elif "shared_url" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--backend")
        metafunc.parametrize("shared_url", [name for name in ("sqlite",) if chosen in (None, name)], indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh store of each backend."""
    return _url(request.param, tmp_path)


@pytest.fixture
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh store of each backend that several processes can share."""
    return _url(request.param, tmp_path)


def _url(backend: str, folder: Path) -> str:
    return {"memory": "memory://", "sqlite": f"sqlite:///{folder}/jobs.db"}[backend]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start a Python script of `tests/jobs` in a process of its own; none outlives the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, str(JOBS / script), *arguments], stdout=subprocess.PIPE, text=True, env=os.environ.copy()
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()
