"""Rows that somebody damaged by hand: they are read as far as they can be, and never keep others from being claimed."""

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

_NO_ATTEMPT_LEFT = Failure("DamagedRecord", "its attempt is the largest number that a store holds, so none can follow")


class HasConnections(Protocol):
    """A backend."""

    @property
    def _connections(self) -> tuple[Connection, ...]: ...


S = TypeVar("S", bound=HasConnections)
P = ParamSpec("P")
T = TypeVar("T")


def reads_any_text(call: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Make a call again that met text which is not UTF-8, and was undone: on connections that escape such text."""

    @wraps(call)
    def made(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(self, *args, **kwargs)
        except UndecodableText as exc:
            logger.warning("%s; from now on such text is shown escaped", str(exc))
            for connection in self._connections:
                connection.read_escaped()
            return call(self, *args, **kwargs)

    return made


def claimed(connection: sqlite3.Connection, parameters: Parameters) -> list[tuple[Any, ...]]:
    """Claim; jobs that cannot have another attempt are discarded first, where the statement fails on one."""
    try:
        return connection.execute(queries.CLAIM, parameters).fetchall()
    except sqlite3.IntegrityError:
        discard = {"now": parameters["now"], "error": _NO_ATTEMPT_LEFT.to_json()}
        for [id] in connection.execute(queries.DISCARD_DAMAGED, discard).fetchall():
            logger.warning("job %s discarded: %s", UUID(bytes=id), _NO_ATTEMPT_LEFT.message)
        return connection.execute(queries.CLAIM, parameters).fetchall()
