"""A process that ends without stopping its runner loses no job silently."""

import subprocess
import sys
from pathlib import Path

import pytest
from tallystick import Context, Runner, State, open_backend

from ..helpers import MakeRunner

IN_PROGRESS = """
import threading
from tallystick import Context, Runner

runner = Runner("sqlite:///jobs.db")
begun = threading.Event()

@runner.job("tests:block")
def block(how: str, ctx: Context) -> None:
    begun.set()
    while how == "never" or not ctx.should_stop:
        threading.Event().wait(0.005)
    ctx.check()

@runner.job("tests:ablock")
async def ablock(how: str, ctx: Context) -> None:
    import asyncio
    begun.set()
    await asyncio.Event().wait()

runner.enqueue({job})
runner.start()
begun.wait()
"""


def end(script: str, folder: Path) -> str:
    """Run a script, and return its stderr."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("job", ["block.job('asked')", "block.job('never')", "ablock.job('')"])
def test_jobs_in_progress_are_released(tmp_path: Path, job: str) -> None:
    """Jobs in progress at the end of a program are released without using up an attempt, and the log counts them."""
    stderr = end(IN_PROGRESS.replace("{job}", job), tmp_path)
    assert "was not stopped: it held 1 jobs, and 0 of them could not be released" in stderr
    assert ("1 handlers have not returned" in stderr) == ("never" in job)
    with open_backend(f"sqlite:///{tmp_path / 'jobs.db'}") as store:
        [kind] = store.stats().by_kind
        assert kind.removeprefix("tests:") in job
        assert store.stats().by_state[State.PENDING] == 1


MEMORY = """
from datetime import timedelta
from tallystick import Context, Runner

runner = Runner("memory://")

@runner.job("tests:echo")
def echo(payload: int, ctx: Context) -> int:
    return payload

"""


def test_jobs_in_memory_are_counted(tmp_path: Path) -> None:
    """The log counts the jobs that are lost with a memory store at the end of a process."""
    stderr = end(MEMORY + "runner.enqueue_batch([echo.job(1), echo.job(2)])", tmp_path)
    assert "2 unfinished jobs are lost with MemoryBackend" in stderr


def test_nothing_is_logged_about_finished_jobs(tmp_path: Path) -> None:
    """A program without unfinished jobs logs nothing at its end, even while its worker runs."""
    script = MEMORY + "runner.start()\nrunner.result(runner.enqueue(echo.job(1)), timeout=timedelta(seconds=30))"
    assert end(script, tmp_path) == ""


def test_closing_counts_lost_jobs(make_runner: MakeRunner, caplog: pytest.LogCaptureFixture) -> None:
    """`close` logs the number of unfinished jobs that it loses, and nothing for an empty store."""
    for unfinished in (0, 3):
        caplog.clear()
        runner = make_runner()

        @runner.job("tests:echo")
        def echo(payload: int, ctx: Context) -> int:
            return payload

        runner.enqueue_batch([echo.job(number) for number in range(unfinished)])
        runner.close()
        lost = [log.getMessage() for log in caplog.records if "lost" in log.getMessage()]
        assert len(lost) == (unfinished > 0)
        assert all(message.startswith("3 unfinished jobs") for message in lost)


def test_a_store_passed_as_an_object_loses_nothing(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """A store that was passed as an object outlives the runner, so `close` logs nothing about its jobs."""
    other = Runner(runner.backend)

    @other.job("tests:echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    handle = other.enqueue(echo.job(1))
    other.close()
    assert not [log for log in caplog.records if "lost" in log.getMessage()]
    runner.cancel(handle)
    assert runner.get(handle).state is State.CANCELLED
