"""Read rows with text that is not UTF-8, e.g. after edits by hand."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from .connection import Connection
from .errors import UndecodableText

logger = logging.getLogger("tallystick.sqlite")


class HasConnections(Protocol):
    """A backend with connections."""

    @property
    def _connections(self) -> tuple[Connection, ...]: ...


S = TypeVar("S", bound=HasConnections)
P = ParamSpec("P")
T = TypeVar("T")


def reads_any_text(call: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Retry a call that failed on text that is not UTF-8, on connections that escape such text."""

    @wraps(call)
    def call_again(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(self, *args, **kwargs)
        except UndecodableText as exc:
            logger.warning("%s; from now on invalid UTF-8 is shown escaped", str(exc))
            for connection in self._connections:
                connection.read_escaped()
            return call(self, *args, **kwargs)

    return call_again
