"""Handle damaged rows, e.g. after edits by hand: read as much as possible, and never let them block other claims."""

import logging
import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar
from uuid import UUID

from tallystick import Failure

from . import queries
from .connection import Connection
from .errors import UndecodableText
from .rows import Parameters

logger = logging.getLogger("tallystick.sqlite")

_NO_ATTEMPT_LEFT = Failure(
    "DamagedRecord", "its attempt is the largest number that a store holds, so it cannot be claimed again"
)


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


def claimed(connection: sqlite3.Connection, parameters: Parameters) -> list[tuple[Any, ...]]:
    """Claim due jobs. If a damaged job makes the statement fail, discard it and claim again."""
    try:
        return connection.execute(queries.CLAIM, parameters).fetchall()
    except sqlite3.IntegrityError:
        discard = {"now": parameters["now"], "error": _NO_ATTEMPT_LEFT.to_json()}
        for [id] in connection.execute(queries.DISCARD_DAMAGED, discard).fetchall():
            logger.warning("job %s discarded: %s", UUID(bytes=id), _NO_ATTEMPT_LEFT.message)
        return connection.execute(queries.CLAIM, parameters).fetchall()
