"""A worker process whose jobs note in a file that they ran: `count.py URL LOG [LEASE_SECONDS]`. Stops on SIGTERM."""

import os
import sys
from datetime import timedelta

from tallystick import Context, Runner

url, log, *rest = sys.argv[1:]
lease = timedelta(seconds=float(rest[0]) if rest else 30)
runner = Runner(url, lease=lease, maintenance=lease / 2, poll=timedelta(seconds=0.05), grace=timedelta(seconds=10))
out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


@runner.job("count")
def count(number: int, ctx: Context) -> int:
    """Append one line; a line of this length is written whole."""
    os.write(out, f"{number} {ctx.attempt} {os.getpid()}\n".encode())
    return number


print("ready", flush=True)
runner.run()
