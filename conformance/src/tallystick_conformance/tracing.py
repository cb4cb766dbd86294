"""A client that writes down every call, so that a violation can show its program."""

from collections.abc import Callable, Mapping, Sequence
from traceback import walk_tb
from types import TracebackType
from typing import Any, Self, cast

from tallystick import Backend

from .rendering import call, in_full
from .typed import require_answer


class Step(str):
    """A call as a short line of Python, with the call itself behind it, so that it can be made again.

    `refusal` is the error that was asked for, where the call had to be refused.
    """

    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    refusal: str | None

    def __new__(
        cls, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, refusal: str | None = None
    ) -> Self:
        """Write a call down."""
        step = super().__new__(cls, call(method, args, kwargs))
        step.method, step.args, step.kwargs, step.refusal = method, args, kwargs, refusal
        return step

    def in_full(self) -> str:
        """Write the call with nothing cut short."""
        with in_full():
            return call(self.method, self.args, self.kwargs)


def asked_to_be_refused(steps: Sequence[str], error: type[Exception]) -> None:
    """Note at steps that they had to raise an error."""
    for step in steps:
        if isinstance(step, Step):
            step.refusal = error.__name__


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
            self._steps.append(Step(name, args, kwargs))
            answer = method(*args, **kwargs)
            require_answer(name, answer)
            return answer

        return traced


def traced(backend: Backend, steps: list[str]) -> Backend:
    """Return the client, with each of its calls appended to `steps`."""
    return cast("Backend", _Traced(backend, steps))


def came_from_a_call(traceback: TracebackType | None, sources: tuple[str, ...] = ()) -> bool:
    """Say whether an exception was raised by a call of a traced client, or in one of the backend's source files."""
    return any(frame.f_code.co_filename.startswith((__file__, *sources)) for frame, _ in walk_tb(traceback))
