"""What tests across distributions use."""

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


def in_child(work: Callable[[], Any]) -> Any:
    """Fork, and return what the work returns there, or the error that it raises."""
    ear, mouth = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads
        pid = os.fork()
    if pid == 0:
        try:
            answer = work()
        except BaseException as exc:
            answer = exc
        os.write(mouth, pickle.dumps(answer))
        os._exit(0)
    os.close(mouth)
    heard = b""
    try:
        while select([ear], [], [], 60)[0] and (more := os.read(ear, 65_536)):
            heard += more
    finally:
        os.kill(pid, SIGKILL)
        os.waitpid(pid, 0)
        os.close(ear)
    return pickle.loads(heard)
