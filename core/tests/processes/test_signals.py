"""Signals to a worker process."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from ..helpers import LONG

WORKER = """
import time
from datetime import timedelta
from tallystick import Context, Runner, State

runner = Runner("memory://", poll=timedelta(milliseconds=20), grace=timedelta(seconds=60))

@runner.job("tests:block")
def block(how: str, ctx: Context) -> None:
    print("working", flush=True)
    while runner.running:
        time.sleep(0.005)
    print("stopping", flush=True)
    while how == "ask" and not ctx.should_stop:
        time.sleep(0.005)
    ctx.check()

handle = runner.enqueue(block.job({how!r}))
runner.run()
print(runner.get(handle).state, flush=True)
"""

Worker = subprocess.Popen[str]


@pytest.fixture
def start() -> Iterator[Callable[[str], Worker]]:
    """Return a function that starts workers; kill the live ones after the test."""
    started: list[Worker] = []

    def start(how: str) -> Worker:
        environment = {**os.environ, "PYTHONWARNINGS": "error"}
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER.replace("{how!r}", repr(how))],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()


def line(worker: Worker) -> str:
    """Return the next line that a worker prints."""
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_drains(start: Callable[[str], Worker], number: signal.Signals) -> None:
    """After a signal, a worker lets its job finish, records the outcome, and exits with 0."""
    worker = start("finish")
    assert line(worker) == "working"
    worker.send_signal(number)
    assert line(worker) == "stopping"
    assert line(worker) == "completed"
    assert worker.wait(timeout=LONG.total_seconds()) == 0


def test_hurries(start: Callable[[str], Worker]) -> None:
    """A second signal ends the grace: the worker releases the job, and exits with 0."""
    worker = start("ask")
    assert line(worker) == "working"
    worker.send_signal(signal.SIGTERM)
    assert line(worker) == "stopping"
    worker.send_signal(signal.SIGTERM)
    assert line(worker) == "pending"
    assert worker.wait(timeout=LONG.total_seconds()) == 0
