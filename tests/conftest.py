"""Fixtures of the tests across distributions: a store of each backend, and subprocesses."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from support import JOBS, Spawn
from tallystick import open_backend
from tallystick.hooks.plugins import installed

BACKENDS = ("memory", "sqlite", "postgres", "mongo")
SHARED = ("sqlite", "postgres", "mongo")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--backend", choices=BACKENDS, help="only this backend; all if not given")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "url" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--backend")
        metafunc.parametrize("url", [chosen] if chosen else BACKENDS, indirect=True)
    elif "shared_url" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--backend")
        metafunc.parametrize("shared_url", [name for name in SHARED if chosen in (None, name)], indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a new store, of each backend in turn."""
    with _store(request) as url:
        yield url


@pytest.fixture
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a new store, of each backend that processes can share."""
    with _store(request) as url:
        yield url


@contextmanager
def _store(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "memory":
        yield "memory://"
        return
    if request.param == "sqlite":
        yield f"sqlite:///{request.getfixturevalue('tmp_path')}/jobs.db"
        return
    server: str = request.getfixturevalue(f"{request.param}_url")
    url = installed().backend(server).namespaced(server, f"test_{uuid4().hex[:12]}")
    yield url
    with open_backend(url) as backend:
        backend.teardown()


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Return a function that starts a script of `tests/jobs` as a process; kill all processes after the test."""
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
