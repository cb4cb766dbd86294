"""One place of a supervisor: a worker process, and what follows when it ends."""

import logging
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

from ..exit_status import how_it_ended
from ..worker.pauses import doubling
from .beat import Beat
from .child_link import HURRY, STOP

logger = logging.getLogger("tallystick.supervisor")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_HEALTHY_AFTER = 60.0
"""A process that lived for this many seconds was not broken from the start, so the pauses begin anew."""

_KILL_AFTER = 20.0
"""Seconds after the grace period until a process is killed. A worker stops within 15 seconds after its grace."""

_DEFAULT_GRACE = 30.0
_SIZE = 65_536


class Slot:
    """Starts a process, reads its beats, and starts it again when it has ended."""

    def __init__(
        self, number: int, command: Sequence[str], plan: bytes, clock: Callable[[], float] = monotonic
    ) -> None:
        self.number = number
        self.restarts = 0
        self.beat: Beat | None = None
        self.beat_at = 0.0
        self._command = command
        self._plan = plan
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._received = b""
        self._started_at = 0.0
        self._start_at = 0.0
        self._kill_at: float | None = None
        self._pauses = doubling(_FIRST_PAUSE, _LONGEST_PAUSE)

    @property
    def pid(self) -> int | None:
        """The id of the process; None if none runs."""
        return None if self._process is None else self._process.pid

    @property
    def is_due(self) -> bool:
        """Whether a process should be started now."""
        return self._process is None and self._clock() >= self._start_at

    def start(self) -> None:
        """Start a process. It is in a process group of its own, so that Ctrl-C in a terminal reaches the supervisor."""
        ours, theirs = socket.socketpair()
        with theirs:
            descriptor = theirs.fileno()
            self._process = subprocess.Popen(  # noqa: S603  # the command is ours
                [*self._command, str(descriptor)], stdin=subprocess.DEVNULL, pass_fds=[descriptor], process_group=0
            )
        self._socket, self._received, self.beat, self._kill_at = ours, b"", None, None
        self._started_at = self._clock()
        with suppress(OSError):  # the process has died already
            ours.sendall(b"%d\n%b" % (len(self._plan), self._plan))
        ours.setblocking(False)

    def ended(self) -> int | None:
        """Read the beats; return the exit code if the process has just ended."""
        if self._process is None:
            return None
        self._receive()
        if (code := self._process.poll()) is None:
            if self._kill_at is not None and self._clock() >= self._kill_at:
                logger.error("worker process %d (pid %d) does not stop and is killed", self.number, self.pid)
                self._process.kill()
                self._kill_at = None
            return None
        self._receive()
        self._close()
        return code

    def start_again(self, code: int, pid: int | None) -> None:
        """Decide when to start the next process. The pause doubles each time that a process dies soon."""
        self.restarts += 1
        lived = self._clock() - self._started_at
        if code == 0 and self.beat is not None:
            logger.info("worker process %d (pid %s) ended and is replaced", self.number, pid)
            self._start_at = self._clock()
            return
        if lived >= _HEALTHY_AFTER:
            self._pauses = doubling(_FIRST_PAUSE, _LONGEST_PAUSE)
        pause = next(self._pauses)
        logger.warning(
            "worker process %d (pid %s) %s; next start in %.1f s", self.number, pid, how_it_ended(code), pause
        )
        self._start_at = self._clock() + pause

    def stop(self) -> None:
        """Ask the process to stop. One that has not begun to work is terminated."""
        if self._process is None:
            return
        self._limit_stop()
        self._send(STOP)
        if self.beat is None:
            self._process.terminate()

    def hurry(self) -> None:
        """End the grace period."""
        self._send(HURRY)

    def _limit_stop(self) -> None:
        """Kill the process some time after its grace, in case a thread of the application keeps it alive."""
        grace = _DEFAULT_GRACE if self.beat is None else self.beat.grace
        self._kill_at = self._clock() + grace + _KILL_AFTER

    def _send(self, line: bytes) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendall(line)

    def _receive(self) -> None:
        while self._socket is not None:
            try:
                received = self._socket.recv(_SIZE)
            except OSError:
                return
            if not received:
                return
            *lines, self._received = (self._received + received).split(b"\n")
            if lines:
                self.beat, self.beat_at = Beat.of_line(lines[-1]), self._clock()
                if self.beat.ending and self._kill_at is None:
                    self._limit_stop()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._process = self._socket = None
