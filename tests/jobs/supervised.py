"""An application for `tallystick worker supervised:runner`. Its jobs append a line to the file that JOBS_LOG names."""

import os
import signal
import time
from datetime import timedelta

from tallystick import Context, Runner

runner = Runner(poll=timedelta(seconds=0.05), grace=timedelta(minutes=5), lease=timedelta(seconds=60))
out = os.open(os.environ["JOBS_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


@runner.job("count")
def count(number: int, ctx: Context) -> int:
    """Append one line; a write this short is atomic."""
    os.write(out, f"{number} {ctx.attempt} {os.getpid()}\n".encode())
    return number


@runner.job("hang", timeout=timedelta(seconds=0.1), max_attempts=1)
def hang(number: int, ctx: Context) -> None:
    """Ignore the timeout for an hour."""
    os.write(out, f"{number} {ctx.attempt} {os.getpid()}\n".encode())
    time.sleep(3_600)


@runner.job("die")
def die(number: int, ctx: Context) -> None:
    """Kill this process."""
    os.write(out, f"{number} {ctx.attempt} {os.getpid()}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)
