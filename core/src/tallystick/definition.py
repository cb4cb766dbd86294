"""The definition of a kind of job: its name, handler, types and options, whether written as a class or a function."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from . import handlers, validation
from .advice import CALLS
from .codec import Codec
from .context import Context
from .errors import DefinitionError, InvalidArgument, InvalidPayload, InvalidResult, NoSuchMethod
from .job import Job
from .options import Options
from .safe_repr import safe_repr

P = TypeVar("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

_PARAMETERS = 2

Handler = Callable[[P, Context], R | Awaitable[R]]


@dataclass(frozen=True, slots=True, eq=False)
class Definition(Generic[P, R]):
    """A kind with its handler and codecs. A codec that is None passes bytes through unchanged."""

    kind: str
    handler: Handler[P, R]
    options: Options
    payloads: Codec[P] | None
    results: Codec[R] | None
    is_async: bool
    may_return_none: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", validation.name(self.kind, "kind"))
        if not isinstance(self.options, Options):
            raise DefinitionError(f"options of {self.kind!r} is {safe_repr(self.options)}; it must be Options(...)")

    if TYPE_CHECKING:

        def __call__(self, payload: P, ctx: Context) -> R | Awaitable[R]:
            """Call the handler directly, as in a test."""

    else:

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            """Call the handler directly, as in a test."""
            if len(args) + len(kwargs) != _PARAMETERS:
                raise InvalidArgument(
                    f"{self.kind!r} was called without its payload and context. To enqueue it, write "
                    f"runner.enqueue({self.call}); to call the handler directly, pass (payload, ctx)"
                )
            return self.handler(*args, **kwargs)

        def __getattr__(self, name: str) -> Any:
            if name in CALLS:
                raise NoSuchMethod(f"the job {self.kind!r} has no {name}(); write {CALLS[name].format(job=self.call)}")
            raise AttributeError(f"a Definition has no attribute {name!r}")

    @property
    def call(self) -> str:
        """An example of a job of this kind, for messages."""
        return f"{getattr(self.handler, '__name__', 'definition')}.job(payload)"

    def job(self, payload: P) -> "Call[R]":
        """Return a job of this kind that you can enqueue."""
        return Call(self, payload)

    def encode(self, payload: P) -> bytes:
        """Return a payload as stored bytes; raise `InvalidPayload` if the handler could not read it."""
        return _as_bytes(payload, self.kind, InvalidPayload) if self.payloads is None else self.payloads.encode(payload)

    def decode(self, stored: bytes) -> P:
        """Return the payload for the handler, decoded from stored bytes."""
        return stored if self.payloads is None else self.payloads.decode(stored)  # type: ignore[return-value]  # P is bytes

    def payload_schema(self) -> dict[str, Any] | None:
        """Return the JSON schema of the payload; None if the kind is raw, and empty if its type has no schema."""
        return None if self.payloads is None else self.payloads.json_schema()

    def encode_result(self, result: R) -> bytes | None:
        """Return a result as stored bytes, or None for None; raise `InvalidResult` if it does not match its type."""
        if result is None and self.may_return_none:
            return None
        if hasattr(type(result), "__await__"):
            raise InvalidResult(handlers.never_awaited(self.kind, result))
        return _as_bytes(result, self.kind, InvalidResult) if self.results is None else self.results.encode(result)

    def decode_result(self, stored: bytes | None) -> R | None:
        """Return the handler's result, decoded from stored bytes."""
        return stored if stored is None or self.results is None else self.results.decode(stored)  # type: ignore[return-value]  # R is bytes

    @classmethod
    def of_class(cls, job: type[Job[R]]) -> "Definition[Job[R], R]":
        """Return the definition of a `Job` class."""
        _check_class(job)
        options = job.options()
        handlers.check(validation.name(job.kind, "kind"), job.work, "(self, ctx)")
        return _define(job.kind, job.work, job, options)

    @classmethod
    def of_function(cls, kind: str, function: Handler[P, R], options: Options) -> "Definition[P, R]":
        """Return the definition of a function of (payload, ctx). Its annotations declare payload and result."""
        payload = handlers.check(validation.name(kind, "kind"), function, "(payload, ctx)")
        if payload.annotation is inspect.Parameter.empty:
            raise DefinitionError(
                f"the handler of {kind!r} must annotate {payload.name!r} with the payload's type; write a def with "
                f"({payload.name}: int, ctx: Context)"
            )
        return _define(kind, function, handlers.resolve(kind, function, payload.name), options)

    @classmethod
    def raw(
        cls, kind: str, function: Handler[bytes, bytes | None], options: Options
    ) -> "Definition[bytes, bytes | None]":
        """Return the definition of a function of (bytes, ctx) that returns bytes or None. Nothing is validated."""
        handlers.check(validation.name(kind, "kind"), function, "(payload, ctx)")
        return Definition(kind, function, options, None, None, inspect.iscoroutinefunction(function))


class FunctionDecorator(Protocol):
    """Turns a function of (payload, ctx), sync or async, into a definition with the same types."""

    @overload
    def __call__(self, function: Callable[[P, Context], Coroutine[Any, Any, R]], /) -> Definition[P, R]: ...
    @overload
    def __call__(self, function: Callable[[P, Context], R], /) -> Definition[P, R]: ...


@dataclass(frozen=True, slots=True)
class Call(Generic[R_co]):
    """A payload together with the definition of its kind."""

    definition: Definition[Any, R_co]
    payload: Any

    def __post_init__(self) -> None:
        if not isinstance(self.definition, Definition):
            raise InvalidArgument(
                f"definition is {safe_repr(self.definition)}; let the job make its calls: generate.job(payload)"
            )


def _define(kind: str, handler: Handler[P, R], payload_type: Any, options: Options) -> Definition[P, R]:
    payloads: Codec[P] = Codec(payload_type, f"the payload of {kind!r}", InvalidPayload)
    results: Codec[R] = Codec(handlers.resolve(kind, handler, "return"), f"the result of {kind!r}", InvalidResult)
    is_async = inspect.iscoroutinefunction(handler)
    return Definition(kind, handler, options, payloads, results, is_async, results.accepts_none())


def _parameters(job: type[Job[Any]]) -> tuple[Any, ...]:
    return job.__pydantic_generic_metadata__["parameters"]


def _check_class(job: object) -> None:
    if not isinstance(job, type):
        made = type(job).__name__
        instead = f"register the class, not an instance: {made}" if isinstance(job, Job) else "it must be a Job class"
        if inspect.isroutine(job):
            instead = 'a function is registered by its kind: @runner.job("kind")'
        raise DefinitionError(f"{safe_repr(job)} cannot be registered; {instead}")
    if not issubclass(job, Job):
        raise DefinitionError(f"{job.__name__} cannot be registered; it must be a subclass of Job, e.g. Job[None]")
    if {*_parameters(job)} - {*_parameters(Job)}:
        raise DefinitionError(
            f"{job.__name__} is generic, so its payload has no type yet; register a subclass of {job.__name__}[...]"
        )
    if missing := sorted(getattr(job, "__abstractmethods__", ())):
        raise DefinitionError(
            f"{job.__name__} is abstract: it has no {', '.join(missing)}; register a subclass that has"
        )


def _as_bytes(value: object, kind: str, error: type[InvalidArgument]) -> bytes:
    if isinstance(value, bytes):
        return value
    raise error(f"{kind!r} is raw: payload and result must be bytes, not {type(value).__name__}")
