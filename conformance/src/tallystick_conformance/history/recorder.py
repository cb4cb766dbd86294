"""Record the calls of clients in many threads or processes."""

import json
from collections.abc import Callable, Iterable
from inspect import signature
from itertools import count
from typing import Any, cast

from tallystick import Backend

from .codec import decoded, encoded
from .operation import Operation

CALLS = ("insert", "claim", "extend", "report_progress", "settle", "rescue", "get", "list", "stats",
         "cancel", "requeue", "delete", "update", "purge", "pause", "resume")  # fmt: skip
"""The recorded calls; all other calls pass through."""

_SIGNATURES = {call: signature(getattr(Backend, call)) for call in CALLS}

Clock = Callable[[], int]


class Recorder:
    """A log of operations, safe for many threads.

    Args:
        clock: Returns a number that never decreases. For several processes on one machine, use `time.monotonic_ns`.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or count(1).__next__
        self._operations: list[Operation] = []

    def client(self, backend: Backend, name: str) -> Backend:
        """Wrap a backend so that each of its calls is recorded under a client's name."""
        return cast("Backend", _Client(backend, name, self._clock, self._operations.append))

    def history(self) -> list[Operation]:
        """Return the recorded operations so far, in the order in which they began."""
        return sorted(self._operations, key=lambda operation: operation.began)

    def to_json(self) -> str:
        """Return the history as JSON, so that another process can read it."""
        return to_json(self.history())


def to_json(history: Iterable[Operation]) -> str:
    """Return a history as JSON."""
    return json.dumps([encoded(operation) for operation in history])


def from_json(text: str) -> list[Operation]:
    """Parse the JSON of a history. To merge the histories of several processes, add the lists."""
    return [cast("Operation", decoded(item)) for item in json.loads(text)]


class _Client:
    def __init__(self, backend: Backend, name: str, clock: Clock, append: Callable[[Operation], None]) -> None:
        self._backend = backend
        self._name = name
        self._clock = clock
        self._append = append

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._backend, name)
        return self._recorded(name, value) if name in CALLS else value

    def _recorded(self, call: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*args: Any, **kwargs: Any) -> Any:
            given = _SIGNATURES[call].bind(self._backend, *args, **kwargs).arguments
            del given["self"]
            began = self._clock()
            answer, error, ended = None, None, None
            try:
                answer = method(*args, **kwargs)
                ended = self._clock()
            except Exception as exc:
                error, ended = exc, self._clock()
                raise
            finally:
                self._append(Operation(self._name, call, given, began, ended, answer, error))
            return answer

        return recorded
