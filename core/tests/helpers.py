"""Helpers of the core's tests: wait for a condition, list threads, store a record."""

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, TypeVar

import pytest
from filelock import FileLock
from tallystick import Backend, NewRecord, Record, Runner
from tallystick_memory import MemoryBackend

T = TypeVar("T")

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
AT_ONCE = timedelta(0)
SECOND = timedelta(seconds=1)
LONG = timedelta(minutes=5)
"""Longer than any passing test waits."""
SHORT_LEASE = timedelta(milliseconds=240)
"""Workers extend it every 40 ms, and check it every 20 ms."""

_PAUSE = 0.002


class MakeRunner(Protocol):
    """Makes runners; the fixture closes them."""

    def __call__(self, backend: str | Backend = "memory://", **settings: Any) -> Runner:
        """Make a runner."""


def eventually(condition: Callable[[], T]) -> T:
    """Poll a condition until it is true, and return its value; fail after `LONG`."""
    deadline = monotonic() + LONG.total_seconds()
    pause = threading.Event()
    while not (value := condition()):
        if monotonic() > deadline:
            pytest.fail(f"still {value!r} after {LONG}")
        pause.wait(_PAUSE)
    return value


def threads(*prefixes: str) -> set[str]:
    """Return the names of Tallystick's live threads that begin with one of the prefixes."""
    return {f"{thread.name} {thread.ident}" for thread in threading.enumerate() if thread.name.startswith(prefixes)}


SERVICES = (
    "tallystick-fetcher",
    "tallystick-settler",
    "tallystick-heartbeat",
    "tallystick-watcher",
    "tallystick-maintainer",
    "tallystick-reporter",
    "tallystick-scheduler",
    "tallystick-loop",
)


def stored(kind: str = "echo", payload: bytes = b"null", **fields: Any) -> Record:
    """Return the record of a new job as a store keeps it."""
    return MemoryBackend().insert([NewRecord(kind=kind, payload=payload, **fields)])[0].record


def check_types(application: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    """Run mypy in strict mode on a file. One process at a time: two that share a cache make mypy fail."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", application.name]
    with FileLock(cache / "lock"):
        return subprocess.run(command, cwd=application.parent, capture_output=True, text=True, check=False)
