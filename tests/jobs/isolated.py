"""A job that runs in a child process."""

import os
import time
from datetime import timedelta

import tallystick
from tallystick import Context, Fixed


@tallystick.job("isolated", isolation="process", retry=Fixed(timedelta(0)), max_attempts=2)
def isolated(how: str, ctx: Context) -> int:
    """Return this process, crash, or run for an hour."""
    if how == "crash":
        os._exit(7)
    if how == "hang":
        time.sleep(3_600)
    return os.getpid()
