"""A process that ends without a stop or close: nothing is abandoned silently."""

import subprocess
import sys
from pathlib import Path

import pytest
from tallystick import Context, Runner, State, open_backend

from .helpers import MakeRunner

IN_HAND = """
import threading
from tallystick import Context, Runner

runner = Runner("sqlite:///jobs.db")
begun = threading.Event()

@runner.job("block")
def block(how: str, ctx: Context) -> None:
    begun.set()
    while how == "never" or not ctx.should_stop:
        threading.Event().wait(0.005)
    ctx.check()

@runner.job("ablock")
async def ablock(how: str, ctx: Context) -> None:
    import asyncio
    begun.set()
    await asyncio.Event().wait()

runner.enqueue({job})
runner.start()
begun.wait()
"""


def end(script: str, folder: Path) -> str:
    """Run a script, and return what it wrote to stderr."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("job", ["block.job('asked')", "block.job('never')", "ablock.job('')"])
def test_jobs_in_hand_are_released(tmp_path: Path, job: str) -> None:
    """What is in hand when a program ends is released at no cost to its attempts, and the log counts it."""
    said = end(IN_HAND.replace("{job}", job), tmp_path)
    assert "was not stopped: it held 1 jobs, and 0 of them could not be released" in said
    assert ("1 handlers have not returned" in said) == ("never" in job)
    with open_backend(f"sqlite:///{tmp_path / 'jobs.db'}") as store:
        [kind] = store.stats().by_kind
        assert kind in job
        assert store.stats().by_state[State.PENDING] == 1


MEMORY = """
from datetime import timedelta
from tallystick import Context, Runner

runner = Runner("memory://")

@runner.job("echo")
def echo(payload: int, ctx: Context) -> int:
    return payload

"""


def test_jobs_in_memory_are_counted(tmp_path: Path) -> None:
    """Jobs that are lost with the memory of a process are counted as it ends."""
    said = end(MEMORY + "runner.enqueue_batch([echo.job(1), echo.job(2)])", tmp_path)
    assert "2 unfinished jobs are lost with MemoryBackend" in said


def test_nothing_is_said_of_finished_jobs(tmp_path: Path) -> None:
    """A program whose jobs have finished ends quietly, also while its worker runs."""
    script = MEMORY + "runner.start()\nrunner.result(runner.enqueue(echo.job(1)), timeout=timedelta(seconds=30))"
    assert end(script, tmp_path) == ""


def test_closing_counts_lost_jobs(make_runner: MakeRunner, caplog: pytest.LogCaptureFixture) -> None:
    """A close that loses unfinished jobs says how many; one of an empty store says nothing."""
    for unfinished in (0, 3):
        caplog.clear()
        runner = make_runner()

        @runner.job("echo")
        def echo(payload: int, ctx: Context) -> int:
            return payload

        runner.enqueue_batch([echo.job(number) for number in range(unfinished)])
        runner.close()
        lost = [log.getMessage() for log in caplog.records if "lost" in log.getMessage()]
        assert len(lost) == (unfinished > 0)
        assert all(message.startswith("3 unfinished jobs") for message in lost)


def test_what_was_given_is_not_lost(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """A store that was given as an object outlives the runner, so nothing is said of its jobs."""
    other = Runner(runner.backend)

    @other.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    handle = other.enqueue(echo.job(1))
    other.close()
    assert not [log for log in caplog.records if "lost" in log.getMessage()]
    runner.cancel(handle)
    assert runner.get(handle).state is State.CANCELLED
