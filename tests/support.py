"""Helpers of the tests across distributions."""

import os
import pickle
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from select import select
from signal import SIGKILL
from typing import Any

JOBS = Path(__file__).parent / "jobs"
"""Programs with jobs, to run as processes."""

PATIENCE = 300
"""Seconds that a test waits for an event; only a fault takes longer, even on a busy machine."""

Spawn = Callable[..., "subprocess.Popen[str]"]


def eventually(condition: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """Wait until a condition is true; fail if it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition was not true within {seconds} s"
        time.sleep(0.01)


def in_child(work: Callable[[], Any]) -> Any:
    """Fork, and return what `work` returns or raises in the child."""
    read_end, write_end = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns about a fork with threads
        pid = os.fork()
    if pid == 0:
        try:
            result = work()
        except BaseException as exc:
            result = exc
        os.write(write_end, pickle.dumps(result))
        os._exit(0)
    os.close(write_end)
    received = b""
    try:
        while select([read_end], [], [], 60)[0] and (more := os.read(read_end, 65_536)):
            received += more
    finally:
        os.kill(pid, SIGKILL)
        os.waitpid(pid, 0)
        os.close(read_end)
    return pickle.loads(received)
