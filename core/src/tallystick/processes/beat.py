"""The report that a worker process sends to its supervisor every second."""

import json
from typing import NamedTuple, Self


class Beat(NamedTuple):
    """The numbers of a worker process.

    Args:
        jobs: How many attempts have ended.
        memory: The resident memory in bytes.
        blocked: Whether the worker claims nothing; see `Snapshot.blocked`.
        grace: The grace period of a stop, in seconds.
        ending: Whether the process has reached a limit, and stops.
    """

    jobs: int
    memory: int
    blocked: bool
    grace: float
    ending: bool

    def to_line(self) -> bytes:
        """Return the beat as a line."""
        return json.dumps(self).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Self:
        """Return the beat of a line."""
        return cls(*json.loads(line))
