"""A worker process whose jobs say that they run and never return: `hold.py URL LEASE_SECONDS`. For kill -9."""

import os
import sys
import threading
from datetime import timedelta

from tallystick import Context, Runner

runner = Runner(sys.argv[1], lease=timedelta(seconds=float(sys.argv[2])), poll=timedelta(seconds=0.05), concurrency=4)


@runner.job("count")
def hold(number: int, ctx: Context) -> int:
    """Say which job this is, and wait for ever."""
    os.write(1, f"{number}\n".encode())  # a print of one thread can come between text and newline of another's
    threading.Event().wait()
    return number


runner.run()
