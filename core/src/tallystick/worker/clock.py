"""The worker's clock for leases, which also runs while the machine is suspended."""

import sys
import time

# `time.monotonic` stands still during a suspension on Linux and macOS, but not on Windows.
if sys.platform == "linux":

    def seconds() -> float:
        """Return the seconds since the machine started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)
elif sys.platform == "darwin":

    def seconds() -> float:
        """Return the seconds since an arbitrary moment. On macOS this clock also runs during a suspension."""
        return time.clock_gettime(time.CLOCK_MONOTONIC)
else:

    def seconds() -> float:
        """Return the seconds since an arbitrary moment."""
        return time.monotonic()
