"""Send an exception from a child process to the worker."""

import pickle
from io import BytesIO
from typing import Any

from ..contract.failure import Failure
from ..errors import ChildError
from ..jobs.control import DiscardJob, Snooze, Stopped
from ..messages.safe_repr import safe_str
from .addresses import importable_name
from .messages import Raised, Stage


class ChildTraceback(Exception):
    """The cause of an exception from a child process. Its text is the traceback there."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def raised(stage: Stage, exc: BaseException) -> Raised:
    """Return the message about an exception. Code of the exception may run, and its errors are ignored."""
    return Raised(stage, Failure.of(exc), _pickled(exc) or _pickled(_plain(exc)))


def read(message: Raised) -> BaseException:
    """Return the exception in the worker. One that cannot be pickled becomes a `ChildError`."""
    exc = None if message.exception is None else _unpickled(message.exception)
    if exc is None:
        exc = ChildError(f"{message.failure.type}: {message.failure.message}")
    exc.__cause__ = ChildTraceback(message.failure.traceback)
    return exc


def _pickled(exc: BaseException | None) -> bytes | None:
    """Return an exception as bytes; None if it cannot be read back."""
    try:
        encoded = pickle.dumps(exc)
        return encoded if isinstance(pickle.loads(encoded), BaseException) else None  # noqa: S301  # just written
    except BaseException:  # the exception's own code
        return None


def _plain(exc: BaseException) -> BaseException | None:
    """Return an exception with the same effect, for a subclass that cannot be pickled."""
    try:
        if isinstance(exc, Snooze):
            return Snooze(exc.run_at)
        return next((kind(safe_str(exc)) for kind in (DiscardJob, Stopped) if isinstance(exc, kind)), None)
    except BaseException:  # a subclass may have no valid run_at
        return None


def _unpickled(encoded: bytes) -> BaseException | None:
    try:
        exc = _Unpickler(BytesIO(encoded)).load()
    except BaseException:  # the exception's own code, or the import of its module
        return None
    return exc if isinstance(exc, BaseException) else None


class _Unpickler(pickle.Unpickler):
    """Finds the classes of a script, which has another name in the child process."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        is_main = module_name == importable_name("__main__")
        return super().find_class("__main__" if is_main else module_name, global_name)
