"""Limits after which a worker process stops, so that a supervisor replaces it."""

import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import random

_SPREAD = 0.1
"""The largest random part by which a process ends earlier, so that processes do not end together."""

_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a worker process should be replaced. None is no limit. `memory` is in bytes."""

    age: timedelta | None = None
    jobs: int | None = None
    memory: int | None = None

    def spread(self) -> "Limits":
        """Return limits of age and jobs that are lower by a random part, at most a tenth."""
        part = 1 - random() * _SPREAD
        return Limits(
            age=None if self.age is None else self.age * part,
            jobs=None if self.jobs is None else max(1, round(self.jobs * part)),
            memory=self.memory,
        )

    def reached(self, *, seconds: float, jobs: int, memory: int) -> str | None:
        """Return which limit is reached, in words; None if none is."""
        if self.age is not None and seconds >= self.age.total_seconds():
            return f"it is {seconds:,.0f} s old"
        if self.jobs is not None and jobs >= self.jobs:
            return f"it has run {jobs:,} jobs"
        if self.memory is not None and memory >= self.memory:
            return f"it uses {memory / 2**20:,.0f} MiB of memory"
        return None


def used_memory() -> int:
    """Return the resident memory of this process in bytes. Without `/proc`, the largest so far; on Windows, 0."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415  # Windows has none

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
