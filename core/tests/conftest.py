from collections.abc import Iterator
from typing import Any

import pytest
from tallystick import Backend, Runner

from .helpers import LONG, SECOND, SERVICES, MakeRunner, eventually, threads


@pytest.fixture
def make_runner() -> Iterator[MakeRunner]:
    """Return a factory of runners; close them all, and check that only threads of handlers are left."""
    before = threads(*SERVICES, "tallystick-batcher")
    runners: list[Runner] = []

    def make(backend: str | Backend = "memory://", **settings: Any) -> Runner:
        runner = Runner(backend, **{"poll": SECOND / 50, "concurrency": 4, "grace": LONG, **settings})
        runners.append(runner)
        return runner

    yield make
    for runner in runners:
        runner.close()
    eventually(lambda: threads(*SERVICES, "tallystick-batcher") <= before)


@pytest.fixture
def runner(make_runner: MakeRunner) -> Runner:
    """Return a runner with a store of its own in memory."""
    return make_runner()
