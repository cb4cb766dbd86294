"""The definition of a kind of job: its name, handler, types and options, whether written as a class or a function."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Protocol, TypeVar, overload

from ..errors import DefinitionError, InvalidArgument
from ..messages.safe_repr import safe_repr
from ..user_warnings import checked_kind
from . import handlers
from .context import Context
from .declaration import Declaration, codecs
from .importable import check_importable
from .job_base import Job, upgrades_of
from .options import Options
from .payload_versions import Upgrades

P = TypeVar("P")
R = TypeVar("R")

_PARAMETERS = 2

Handler = Callable[[P, Context], R | Awaitable[R]]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Definition(Declaration[P, R], Generic[P, R]):
    """A declaration with its handler. `declares` is the declaration that a producer may use in its place.

    `services` has the services that the handler takes after its context, by parameter.
    """

    handler: Handler[P, R]
    is_async: bool
    declares: Declaration[P, R] | None = None
    services: Mapping[str, Any] = field(default_factory=dict)

    if TYPE_CHECKING:

        def __call__(self, payload: P, ctx: Context, *args: Any, **kwargs: Any) -> R | Awaitable[R]:
            """Call the handler directly, as in a test."""

    else:

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            """Call the handler directly, as in a test."""
            if len(args) + len(kwargs) != _PARAMETERS + len(self.services):
                raise InvalidArgument(
                    f"{self.kind!r} was called without its payload and context. To enqueue it, write "
                    f"runner.enqueue({self.call}); to call the handler directly, pass (payload, ctx)"
                )
            return self.handler(*args, **kwargs)

    @property
    def call(self) -> str:
        """An example of a job of this kind, for messages."""
        return f"{getattr(self.handler, '__name__', 'definition')}.job(payload)"

    @classmethod
    def of_class(cls, job: type[Job[R]]) -> "Definition[Job[R], R]":
        """Return the definition of a `Job` class."""
        check_class(job)
        options = job.options()
        if not has_work(job):
            raise DefinitionError(
                f"{job.__name__} has no work method, so no worker can run it; write: def work(self, ctx: Context) -> "
                "... Without it, you can only enqueue the class, and it needs no registration"
            )
        handlers.check(checked_kind(job.kind), job.work, "(self, ctx)")
        return _define(job.kind, job.work, job, options, upgrades_of(job))

    @classmethod
    def of_function(cls, kind: str, function: Handler[P, R], options: Options) -> "Definition[P, R]":
        """Return the definition of a function of (payload, ctx). Its annotations declare payload and result."""
        payload = handlers.check(checked_kind(kind), function, "(payload, ctx)")
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
        handlers.check(checked_kind(kind), function, "(payload, ctx)")
        check_importable(kind, function, options)
        is_async = inspect.iscoroutinefunction(function)
        return Definition(
            kind=kind,
            handler=function,
            options=options,
            payloads=None,
            results=None,
            is_async=is_async,
            services=handlers.services_of(kind, function),
        )

    @classmethod
    def of_declaration(
        cls, declaration: Declaration[P, R], function: Handler[P, R], options: Options
    ) -> "Definition[P, R]":
        """Return the definition of a function of (payload, ctx) that handles a declared kind."""
        handlers.check(declaration.kind, function, "(payload, ctx)")
        check_importable(declaration.kind, function, options)
        return Definition(
            kind=declaration.kind,
            options=options,
            payloads=declaration.payloads,
            results=declaration.results,
            may_return_none=declaration.may_return_none,
            upgrades=declaration.upgrades,
            handler=function,
            is_async=inspect.iscoroutinefunction(function),
            declares=declaration,
            services=handlers.services_of(declaration.kind, function),
        )


class FunctionDecorator(Protocol):
    """Turns a function of (payload, ctx), sync or async, into a definition with the same types.

    The function may take services after ctx.
    """

    @overload
    def __call__(self, function: Callable[[P, Context], Coroutine[Any, Any, R]], /) -> Definition[P, R]: ...
    @overload
    def __call__(self, function: Callable[[P, Context], R], /) -> Definition[P, R]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[P, Context, ...], Coroutine[Any, Any, R]], /
    ) -> Definition[P, R]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[P, Context, ...], R], /) -> Definition[P, R]: ...


class HandlerDecorator(Protocol[P, R]):
    """Turns a function of (payload, ctx) with declared types into a definition.

    The function may take services after ctx.
    """

    def __call__(
        self,
        function: Callable[[P, Context], R | Awaitable[R]] | Callable[Concatenate[P, Context, ...], R | Awaitable[R]],
        /,
    ) -> Definition[P, R]:
        """Return the definition."""


def declare_class(job: type[Job[R]]) -> Declaration[Job[R], R]:
    """Return the declaration of a `Job` class that has no `work`. `Job[Receipt]` gives the type of its result."""
    check_class(job)
    options = job.options()
    bases = [base.__pydantic_generic_metadata__ for base in job.__mro__ if issubclass(base, Job)]
    results = [base["args"][0] for base in bases if base["origin"] is Job]
    return Declaration.of_types(job.kind, job, results[0] if results else Any, options, upgrades_of(job))


def has_work(job: type[Job[Any]]) -> bool:
    """Return whether a class has a handler."""
    return job.work is not Job.work


def _define(
    kind: str, handler: Handler[P, R], payload_type: Any, options: Options, upgrades: Upgrades | None = None
) -> Definition[P, R]:
    check_importable(kind, handler, options)
    fields = codecs(kind, payload_type, handlers.resolve(kind, handler, "return"))
    return Definition(
        handler=handler,
        options=options,
        is_async=inspect.iscoroutinefunction(handler),
        services=handlers.services_of(kind, handler),
        upgrades=upgrades or Upgrades(),
        **fields,
    )


def _parameters(job: type[Job[Any]]) -> tuple[Any, ...]:
    return job.__pydantic_generic_metadata__["parameters"]


def check_class(job: object) -> None:
    """Reject anything but a concrete `Job` class."""
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
