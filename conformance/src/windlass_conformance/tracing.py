"""A client that writes down every call, so that a violation can show its program."""

from collections.abc import Callable
from typing import Any, cast

from windlass import Backend

from .rendering import call


class _Traced:
    def __init__(self, backend: Backend, steps: list[str]) -> None:
        self._backend = backend
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._backend, name)
        if not callable(value):
            return value
        return self._written(name, value)

    def _written(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def traced(*args: Any, **kwargs: Any) -> Any:
            self._steps.append(call(name, args, kwargs))
            return method(*args, **kwargs)

        return traced


def traced(backend: Backend, steps: list[str]) -> Backend:
    """Return the client, with each of its calls appended to `steps`."""
    return cast("Backend", _Traced(backend, steps))
