"""Record every call of a client, so that a violation can show its program."""

from collections.abc import Callable, Mapping, Sequence
from traceback import walk_tb
from types import TracebackType
from typing import Any, Self, cast

from tallystick import Backend

from ..contract.typed import require_answer
from .rendering import call


class TracedCall(str):
    """A call as a short line of Python, with the data to repeat it.

    `refusal` is the name of the error that the call had to raise, if any. `client` is the name of the client that made
    the call; `is_elsewhere` is true for a client of another store.
    """

    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    refusal: str | None
    client: str
    is_elsewhere: bool

    def __new__(
        cls,
        method: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        refusal: str | None = None,
        client: str = "a",
        is_elsewhere: bool = False,
        label: str = "",
    ) -> Self:
        """Record a call."""
        step = super().__new__(cls, label + call(method, args, kwargs))
        step.method, step.args, step.kwargs, step.refusal = method, args, kwargs, refusal
        step.client, step.is_elsewhere = client, is_elsewhere
        return step

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (str(self), self.__dict__)

    def labelled(self) -> Self:
        """Return the step with its client's name as a prefix."""
        return type(self)(
            self.method,
            self.args,
            self.kwargs,
            refusal=self.refusal,
            client=self.client,
            is_elsewhere=self.is_elsewhere,
            label=f"{self.client}: ",
        )


def _unpickled(text: str, fields: Mapping[str, Any]) -> TracedCall:
    step = str.__new__(TracedCall, text)
    step.__dict__.update(fields)
    return step


def labelled(steps: Sequence[str]) -> tuple[str, ...]:
    """Return the program; prefix its steps with the clients' names if there are several clients."""
    if len({step.client for step in steps if isinstance(step, TracedCall)}) < 2:
        return tuple(steps)
    return tuple(step.labelled() if isinstance(step, TracedCall) else step for step in steps)


def asked_to_be_refused(steps: Sequence[str], error: type[Exception]) -> None:
    """Mark steps as calls that had to raise an error."""
    for step in steps:
        if isinstance(step, TracedCall):
            step.refusal = error.__name__


class _Traced:
    def __init__(self, backend: Backend, steps: list[str], name: str, *, is_elsewhere: bool) -> None:
        self._backend = backend
        self._steps = steps
        self._name, self._is_elsewhere = name, is_elsewhere

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._backend, name)
        if not callable(value):
            return value
        return self._written(name, value)

    def _written(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def traced(*args: Any, **kwargs: Any) -> Any:
            self._steps.append(TracedCall(name, args, kwargs, client=self._name, is_elsewhere=self._is_elsewhere))
            answer = method(*args, **kwargs)
            require_answer(name, answer)
            return answer

        return traced


def traced(backend: Backend, steps: list[str], name: str = "a", *, is_elsewhere: bool = False) -> Backend:
    """Wrap a client so that each of its calls is appended to `steps`."""
    return cast("Backend", _Traced(backend, steps, name, is_elsewhere=is_elsewhere))


def came_from_a_call(traceback: TracebackType | None, sources: tuple[str, ...] = ()) -> bool:
    """Return whether an exception came from a call of a traced client, or from one of the backend's source files."""
    return any(frame.f_code.co_filename.startswith((__file__, *sources)) for frame, _ in walk_tb(traceback))
