"""A worker process whose jobs print their number and never return, to be killed: `hold.py URL LEASE_SECONDS`."""

import os
import sys
import threading
from datetime import timedelta

from tallystick import Context, Runner

runner = Runner(sys.argv[1], lease=timedelta(seconds=float(sys.argv[2])), poll=timedelta(seconds=0.05), concurrency=4)


@runner.job("count")
def hold(number: int, ctx: Context) -> int:
    """Print the job's number, and wait forever."""
    os.write(1, f"{number}\n".encode())  # print() could interleave lines of threads
    threading.Event().wait()
    return number


runner.run()
