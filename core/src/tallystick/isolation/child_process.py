"""A child process, as the worker sees it."""

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from math import inf
from time import monotonic
from typing import NoReturn

from ..errors import ProcessCrashed
from ..exit_status import how_it_ended
from ..jobs.control import Stopped
from ..worker.attempt import Attempt
from .messages import Connection, Greeting, Logged, Raised, Reported, Returned, Started, StopAsked, Work

_COMMAND = (sys.executable, "-m", "tallystick.isolation.child")

_POLL = 0.05
"""Seconds between two looks whether the handler should stop."""

_STOP_GRACE = 0.25
"""Seconds for a handler to stop after it was asked to. Then its process is killed.

It is shorter than the time after which a worker reports stuck handlers, and than the end of a stop.
"""

_MOST_ATTEMPTS = 1_000
"""After so many attempts a child is replaced, in case the libraries of its handlers leak memory."""

_START_SECONDS = 120.0
"""The longest time for a child to start, and to import the application."""


class ChildProcess:
    """Runs attempts one at a time. Only one thread uses it, except for `kill`."""

    def __init__(self) -> None:
        self.is_reusable = False
        self._attempts = 0
        ours, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        try:
            self._process = _start([theirs.fileno(), lifeline])
        except BaseException:
            ours.close()
            os.close(self._lifeline)
            raise
        finally:
            theirs.close()
            os.close(lifeline)
        self._connection = Connection(ours)
        self._greet()

    def _greet(self) -> None:
        with suppress(OSError):  # the process has died already, which `run` reports
            self._connection.send(Greeting(list(sys.path), logging.getLogger().getEffectiveLevel()))

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def run(self, work: Work, attempt: Attempt) -> Returned | Raised:
        """Run an attempt. The time of its timeout begins when the child calls the handler.

        Raises:
            ProcessCrashed: the process has ended.
            Stopped: the attempt should stop, and the process was killed.
        """
        self.is_reusable = False
        self._attempts += 1
        begun = monotonic()
        attempt.started_at = inf  # no timeout before the handler is called
        kill_at: float | None = None
        try:
            self._connection.send(work)
            while True:
                match self._connection.receive(_POLL):
                    case Returned() | Raised() as reply:
                        is_short = isinstance(reply, Raised) and reply.failure.type == "MemoryError"
                        self.is_reusable = not is_short and self._attempts < _MOST_ATTEMPTS
                        return reply
                    case Logged(record):
                        _log(record)
                    case Reported(fraction, message):
                        attempt.progress(fraction, message)
                    case Started():
                        attempt.started_at = monotonic()
                now = monotonic()
                if attempt.started_at == inf and now - begun > _START_SECONDS:
                    self._raise_late(work)
                if attempt.stop is not None and kill_at is None:
                    kill_at = now + _STOP_GRACE
                    self._connection.send(StopAsked(attempt.stop))
                if kill_at is not None and now >= kill_at:
                    raise Stopped(f"the child process of job {attempt.id} was killed: {attempt.stop}")
        except (EOFError, OSError):
            self._raise_crash(work, attempt)
        finally:
            attempt.started_at = begun if attempt.started_at in (None, inf) else attempt.started_at

    def _raise_crash(self, work: Work, attempt: Attempt) -> NoReturn:
        self.kill()
        code = self._process.wait()
        if attempt.stop is not None:
            raise Stopped(f"the child process of job {attempt.id} has ended: {attempt.stop}") from None
        raise ProcessCrashed(
            f"the child process of {work.record.kind!r} {how_it_ended(code)} before its handler returned"
            + "; the system kills a process like this when memory is short" * (code == -signal.SIGKILL),
            code,
        ) from None

    def _raise_late(self, work: Work) -> NoReturn:
        raise ProcessCrashed(
            f"the child process of {work.record.kind!r} did not import {work.job.module} within "
            f"{_START_SECONDS:g} seconds, and was killed; make its imports faster",
            None,
        )

    def kill(self) -> None:
        """Kill the process, and those that its handlers started. An exit code that it has already stays."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def begin_end(self) -> None:
        """Let the process end if it is idle. Does not wait."""
        self._connection.close()

    def end(self, seconds: float) -> None:
        """End the process, and wait for its end. After so many seconds, kill it."""
        self.begin_end()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, seconds))
        self.kill()
        self._process.wait()
        os.close(self._lifeline)


def _start(descriptors: Sequence[int]) -> "subprocess.Popen[bytes]":
    """Start a process in a process group of its own, so that Ctrl-C in a terminal reaches only the worker."""
    return subprocess.Popen(  # noqa: S603  # the command is ours
        [*_COMMAND, *map(str, descriptors)], stdin=subprocess.DEVNULL, pass_fds=descriptors, process_group=0
    )


def _log(record: logging.LogRecord) -> None:
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        with suppress(Exception):  # a log handler of the application must not end the attempt
            logger.handle(record)
