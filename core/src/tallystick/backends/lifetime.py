"""Reject calls of a client after `close`, and in a forked child."""

from threading import Event, Lock

from .. import forks
from ..errors import Closed


class Lifetime:
    """The time from the opening of a client to its `close`, in the process that opened it.

    A part of a client, such as a pool of connections, can have the lifetime of the client.

    Attributes:
        has_ended: Whether `end` was called.
    """

    def __init__(self) -> None:
        self._owner = forks.Owner()
        self._lock = Lock()
        self._wake = Event()
        self.has_ended = False

    def check(self) -> None:
        """Raise `Closed` after `end`, and in a forked child. Call it before you take a lock or use a connection."""
        self._owner.check()
        if self.has_ended:
            raise closed()

    def end(self) -> bool:
        """End the lifetime, and wake every `sleep`.

        Returns:
            Whether this call ended it. False if it had ended before, and in a forked child, where `close` does nothing.
        """
        if not self._owner.is_this_process:
            return False
        with self._lock:
            had_ended, self.has_ended = self.has_ended, True
        self._wake.set()
        return not had_ended

    def sleep(self, seconds: float) -> bool:
        """Sleep for some seconds, but not after the end. Return False once the lifetime has ended."""
        return not self._wake.wait(seconds)


def closed() -> Closed:
    """Return the error for a call after `close`."""
    return Closed("this backend was closed; open another with tallystick.open_backend(url)")
