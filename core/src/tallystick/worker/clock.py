"""The clock by which a worker measures leases."""

import sys
import time

if sys.platform == "linux":

    def seconds() -> float:
        """Return seconds that also pass while the machine is suspended; `time.monotonic` stands still then."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)
else:

    def seconds() -> float:
        """Return seconds; elsewhere `time.monotonic` runs on while the machine is suspended."""
        return time.monotonic()
