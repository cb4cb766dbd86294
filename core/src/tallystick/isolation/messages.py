"""The messages between a worker and its child process, and the connection that carries them."""

import pickle
import select
import socket
from collections.abc import Mapping
from logging import LogRecord
from threading import Lock
from typing import Any, Literal, NamedTuple

from ..contract.failure import Failure
from ..contract.records import Record
from ..jobs.context import Stop
from .addresses import Address

Stage = Literal["payload", "handler", "result"]
"""Which part of an attempt raised an exception."""

_HEADER = 8
_SIZE = 65_536


class Greeting(NamedTuple):
    """The first message to a child: how it imports modules, and the level of the log."""

    path: list[str]
    log_level: int


class Work(NamedTuple):
    """An attempt to run. `payload` is decoded by the runner's codec, and still JSON.

    `settings` are those that an enqueue in the handler uses.
    """

    job: Address
    runner: Address | None
    settings: Mapping[str, Any]
    record: Record
    payload: bytes
    memory_limit: int | None


class StopAsked(NamedTuple):
    """The handler should stop. The worker kills the child soon."""

    why: Stop


class Started(NamedTuple):
    """The child has imported the job, and calls its handler."""


class Logged(NamedTuple):
    """A record of the child's log."""

    record: LogRecord


class Returned(NamedTuple):
    """The handler has returned. `result` is JSON."""

    result: bytes | None


class Reported(NamedTuple):
    """The handler has reported its progress."""

    fraction: float | None
    message: str


class Raised(NamedTuple):
    """An exception, as text and, if it can be pickled, as an object."""

    stage: Stage
    failure: Failure
    exception: bytes | None


class Connection:
    """One end of a socket that carries pickled messages. Both ends run code of the same application."""

    def __init__(self, own_end: socket.socket) -> None:
        self._socket = own_end
        self._received = bytearray()
        self._lock = Lock()
        self._poll = select.poll()
        self._poll.register(own_end, select.POLLIN)

    def send(self, message: tuple[Any, ...]) -> None:
        """Send a message. Threads may call it at the same time.

        Raises:
            OSError: the other end is closed.
        """
        encoded = pickle.dumps(message)
        with self._lock:
            self._socket.sendall(len(encoded).to_bytes(_HEADER) + encoded)

    def receive(self, seconds: float | None = None) -> Any:
        """Return the next message; None if it is not complete after so many seconds.

        Raises:
            EOFError: the other end is closed.
        """
        while (encoded := self._next()) is None:
            if not self._poll.poll(None if seconds is None else seconds * 1_000):
                return None
            try:
                more = self._socket.recv(_SIZE)
            except OSError:
                more = b""
            if not more:
                raise EOFError
            self._received += more
        return pickle.loads(encoded)  # noqa: S301  # from this application

    def _next(self) -> bytes | None:
        length = int.from_bytes(self._received[:_HEADER])
        end = _HEADER + length
        if len(self._received) < max(end, _HEADER):
            return None
        encoded = bytes(self._received[_HEADER:end])
        del self._received[:end]
        return encoded

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
