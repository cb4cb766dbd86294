"""The connection of a worker process to its supervisor, seen from the worker process.

The supervisor sends the worker's plan, and later a line for each request. The end of the stream is a request to stop,
too. So the worker stops if its supervisor is killed.
"""

import os
import socket
from contextlib import suppress
from threading import Thread

from ..signals import StopSignals
from .beat import Beat

STOP, HURRY = b"stop\n", b"hurry\n"


class ChildLink:
    """The worker's end of the socket that its supervisor has opened."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)  # a process that a handler starts must not hold it
        self._socket = socket.socket(fileno=descriptor)
        self._received = self._socket.makefile("rb")

    def plan(self) -> bytes:
        """Receive the plan, which is the first message."""
        return self._received.read(int(self._received.readline()))

    def report(self, beat: Beat) -> None:
        """Send a beat. A supervisor that is gone gets none."""
        with suppress(OSError):
            self._socket.sendall(beat.to_line())

    def pass_requests(self, signals: StopSignals) -> None:
        """Pass the requests to stop on to the worker, in a thread."""
        Thread(target=self._listen, args=(signals,), name="tallystick-link", daemon=True).start()

    def _listen(self, signals: StopSignals) -> None:
        with suppress(OSError):
            for line in self._received:
                signals.request(hurry=line == HURRY)
        signals.request()
