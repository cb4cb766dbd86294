"""The clock by which a worker measures leases: it also runs while the machine is suspended."""

import sys
import time

# `time.monotonic` stands still during a suspension on Linux and macOS, but not on Windows.
if sys.platform == "linux":

    def seconds() -> float:
        """Return the seconds since the machine was started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)
elif sys.platform == "darwin":

    def seconds() -> float:
        """Return the seconds since some moment; on macOS this clock does not stop."""
        return time.clock_gettime(time.CLOCK_MONOTONIC)
else:

    def seconds() -> float:
        """Return the seconds since some moment."""
        return time.monotonic()
