"""What tests across distributions use."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

JOBS = Path(__file__).parent / "jobs"
"""Programs with jobs of their own, to be run as processes."""

PATIENCE = 300
"""Seconds that a test waits for an event. Only a fault takes longer, on the busiest machine too."""

Spawn = Callable[..., "subprocess.Popen[str]"]


def eventually(condition: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """Wait until a condition holds; fail if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come to hold"
        time.sleep(0.01)
