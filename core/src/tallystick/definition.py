"""A kind of job as the runner knows it, however it was written: its name, handler, types and options."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_type_hints

from . import guards
from .codec import Codec
from .context import Context
from .errors import DefinitionError, InvalidArgument, InvalidPayload, InvalidResult
from .job import Job
from .options import Options

P = TypeVar("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Handler = Callable[[P, Context], R | Awaitable[R]]
RawHandler = Callable[[bytes, Context], "bytes | Awaitable[bytes | None] | None"]


@dataclass(frozen=True, slots=True, eq=False)
class Definition(Generic[P, R]):
    """A kind, its handler and its codecs; a codec that is None passes bytes through as they are."""

    kind: str
    handler: Handler[P, R]
    options: Options
    payloads: Codec[P] | None
    results: Codec[R] | None
    is_async: bool
    may_return_none: bool = True

    def __call__(self, payload: P, ctx: Context) -> R | Awaitable[R]:
        """Call the handler itself, as a test does."""
        return self.handler(payload, ctx)

    def job(self, payload: P) -> "Call[R]":
        """Return a job of this kind, to be enqueued."""
        return Call(self, payload)

    def encode(self, payload: P) -> bytes:
        """Return a payload as it is stored; raise `InvalidPayload` for one that its handler could not read."""
        return _as_bytes(payload, self.kind, InvalidPayload) if self.payloads is None else self.payloads.encode(payload)

    def decode(self, stored: bytes) -> P:
        """Return a stored payload as the handler takes it."""
        return stored if self.payloads is None else self.payloads.decode(stored)  # type: ignore[return-value]  # P is bytes

    def encode_result(self, result: R) -> bytes | None:
        """Return a result as it is stored, nothing for None; raise `InvalidResult` for one that is not of its type."""
        if result is None and self.may_return_none:
            return None
        return _as_bytes(result, self.kind, InvalidResult) if self.results is None else self.results.encode(result)

    def decode_result(self, stored: bytes | None) -> R | None:
        """Return a stored result as the handler gave it."""
        return stored if stored is None or self.results is None else self.results.decode(stored)  # type: ignore[return-value]  # R is bytes

    @classmethod
    def of_class(cls, job: type[Job[R]]) -> "Definition[Job[R], R]":
        """Define a `Job` class."""
        options = job.options()
        _check_handler(job.kind, job.work)
        return _define(job.kind, job.work, job, options)

    @classmethod
    def of_function(cls, kind: str, function: Handler[P, R], options: Options) -> "Definition[P, R]":
        """Define a function of (payload, ctx); its annotations are the types of payload and result."""
        return _define(kind, function, _payload_type(kind, function), options)

    @classmethod
    def raw(
        cls, kind: str, function: Handler[bytes, bytes | None], options: Options
    ) -> "Definition[bytes, bytes | None]":
        """Define a function of (bytes, ctx) that returns bytes or None, with no validation."""
        return Definition(
            guards.name(kind, "kind"), function, options, None, None, inspect.iscoroutinefunction(function)
        )


@dataclass(frozen=True, slots=True)
class Call(Generic[R_co]):
    """A payload together with the definition that will work it."""

    definition: Definition[Any, R_co]
    payload: Any


def _define(kind: str, handler: Handler[P, R], payload_type: Any, options: Options) -> Definition[P, R]:
    guards.name(kind, "kind")
    payloads: Codec[P] = Codec(payload_type, f"the payload of {kind!r}", InvalidPayload)
    results: Codec[R] = Codec(_hints(kind, handler).get("return", Any), f"the result of {kind!r}", InvalidResult)
    is_async = inspect.iscoroutinefunction(handler)
    return Definition(kind, handler, options, payloads, results, is_async, results.accepts_none())


def _payload_type(kind: str, function: Callable[..., Any]) -> Any:
    payload, _ = _check_handler(kind, function)
    if payload.annotation is inspect.Parameter.empty:
        raise DefinitionError(f"the handler of {kind!r} must annotate {payload.name!r} with its payload's type")
    return _hints(kind, function)[payload.name]


def _check_handler(kind: str, handler: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the two parameters of a handler; refuse what is not a function of two that runs when it is called."""
    if not inspect.isfunction(handler) and not inspect.ismethod(handler):
        raise DefinitionError(f"the handler of {kind!r} is {handler!r}; it must be a function")
    if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
        raise DefinitionError(f"the handler of {kind!r} is a generator; it must return its result, not yield")
    parameters = list(inspect.signature(handler).parameters.values())
    if len(parameters) != 2 or any(p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters):
        raise DefinitionError(f"the handler of {kind!r} is {handler!r}; it must take two arguments, (payload, ctx)")
    return parameters


def _hints(kind: str, handler: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(handler, include_extras=True)
    except NameError as exc:
        raise DefinitionError(f"an annotation of the handler of {kind!r} cannot be resolved: {exc}") from exc


def _as_bytes(value: object, kind: str, error: type[InvalidArgument]) -> bytes:
    if isinstance(value, bytes):
        return value
    raise error(f"{kind!r} is raw: payload and result must be bytes, not {type(value).__name__}")
