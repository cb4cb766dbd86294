"""A worker process whose jobs append a line to a file: `count.py URL LOG [LEASE_SECONDS [PROCESSES]]`.

It stops on SIGTERM. Jobs wait until PROCESSES processes have begun one, so that each process works some.
"""

import os
import sys
import time
from datetime import timedelta
from functools import cache
from pathlib import Path
from threading import Thread

from tallystick import Context, Runner

url, log, *rest = sys.argv[1:]
lease = timedelta(seconds=float(rest[0]) if rest else 30)
processes = int(rest[1]) if rest[1:] else 1
runner = Runner(url, lease=lease, maintenance=lease / 2, poll=timedelta(seconds=0.05), grace=timedelta(seconds=10))
out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
marks = Path(f"{log}.processes")


@cache
def wait_for_the_others() -> None:
    """Wait until each process has begun a job."""
    marks.mkdir(exist_ok=True)
    (marks / str(os.getpid())).touch()
    while len(list(marks.iterdir())) < processes:
        time.sleep(0.01)


@runner.job("count")
def count(number: int, ctx: Context) -> int:
    """Append one line; a write this short is atomic."""
    if processes > 1:
        wait_for_the_others()
    os.write(out, f"{number} {ctx.attempt} {os.getpid()}\n".encode())
    return number


def report_ready() -> None:
    """Print a line once the worker runs. A store that crashes earlier would end this process."""
    while not runner.running:
        time.sleep(0.01)
    print("ready", flush=True)


Thread(target=report_ready, daemon=True).start()
runner.run()
