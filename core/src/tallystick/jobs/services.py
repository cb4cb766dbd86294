"""Services of handlers: make those that a handler asks for by annotation, and close them after its attempt."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from ..errors import DefinitionError, InvalidArgument
from ..messages.safe_repr import safe_repr
from . import handlers
from .context import Context

if TYPE_CHECKING:
    import svcs

T = TypeVar("T")

Factory = Callable[..., Any]
"""A function, or a generator function that yields once and then closes the service; sync or async."""


class Provider(NamedTuple):
    """A factory with the services that it takes itself, by parameter."""

    factory: Factory
    needs: Mapping[str, Any]

    @property
    def is_async(self) -> bool:
        """Whether only async handlers can use it."""
        return inspect.iscoroutinefunction(self.factory) or inspect.isasyncgenfunction(self.factory)


class Services:
    """The providers of one runner, and the `svcs` registry that it may have."""

    def __init__(self) -> None:
        self._providers: dict[Any, Provider] = {}
        self._svcs: svcs.Registry | None = None

    def provide(self, service: Any, factory: Factory) -> None:
        """Add the factory of a service, or replace it.

        Raises:
            DefinitionError: the factory takes a parameter that is not annotated with a service.
        """
        if service is Context or not handlers.is_service(service):
            raise InvalidArgument(f"service is {safe_repr(service)}; it must be a class of your own")
        if not inspect.isroutine(factory) and not isinstance(factory, type):
            raise InvalidArgument(
                f"the provider of {safe_repr(service)} is {safe_repr(factory)}; it must be a function"
            )
        needs = {} if isinstance(factory, type) else handlers.needs_of(f"provider of {service.__name__}", factory)
        self._providers[service] = Provider(factory, needs)

    def use_svcs(self, registry: "svcs.Registry") -> None:
        """Take services without a provider from a registry of the library `svcs`."""
        if not hasattr(registry, "register_factory"):
            raise InvalidArgument(f"registry is {safe_repr(registry)}; it must be a svcs.Registry")
        self._svcs = registry

    def check(self, kind: str, needs: Mapping[str, Any], *, is_async: bool) -> None:
        """Reject a handler whose services have no provider, need each other, or are async in a sync handler."""
        for service in needs.values():
            self._check(kind, service, (), is_async=is_async)

    def _check(self, kind: str, service: Any, above: tuple[Any, ...], *, is_async: bool) -> None:
        if service is Context:
            return
        if service in above:
            raise DefinitionError(
                f"the service {safe_repr(service)} of {kind!r} needs itself; remove it from the parameters of its "
                "provider"
            )
        if (provider := self._providers.get(service)) is None:
            if self._svcs is None or service not in self._svcs:
                raise DefinitionError(
                    f"the handler of {kind!r} needs {safe_repr(service)}, and nothing provides it; write "
                    f"@runner.provide({getattr(service, '__name__', 'Service')}) above a function that makes one"
                )
            return
        if provider.is_async and not is_async:
            raise DefinitionError(
                f"the handler of {kind!r} is sync, and the provider of {safe_repr(service)} is async; make "
                "both sync, or both async"
            )
        for need in provider.needs.values():
            self._check(kind, need, (*above, service), is_async=is_async)

    def call(self, handler: Callable[..., T], payload: Any, ctx: Context, needs: Mapping[str, Any]) -> T:
        """Call a sync handler with its services, and close them in reverse. A provider cannot hide an exception."""
        raised: BaseException | None = None
        with ExitStack() as stack:
            container = _Container(self._providers, self._svcs, ctx)
            try:
                found = {name: container.get(service, stack) for name, service in needs.items()}
                result = handler(payload, ctx, **found)
            except BaseException as exc:
                raised = exc
                raise
        if raised is not None:
            raise raised
        return result

    async def acall(
        self, handler: Callable[..., Awaitable[T]], payload: Any, ctx: Context, needs: Mapping[str, Any]
    ) -> T:
        """Call an async handler with its services. See `call`."""
        raised: BaseException | None = None
        async with AsyncExitStack() as stack:
            container = _Container(self._providers, self._svcs, ctx)
            try:
                found = {name: await container.aget(service, stack) for name, service in needs.items()}
                result = await handler(payload, ctx, **found)
            except BaseException as exc:
                raised = exc
                raise
        if raised is not None:
            raise raised
        return result


class _Container:
    """The services of one attempt, each made once."""

    def __init__(self, providers: Mapping[Any, Provider], registry: "svcs.Registry | None", ctx: Context) -> None:
        self._providers = providers
        self._registry = registry
        self._of_svcs: svcs.Container | None = None
        self._made: dict[Any, Any] = {Context: ctx}

    def get(self, service: Any, stack: ExitStack) -> Any:
        if service not in self._made:
            self._made[service] = self._make(service, stack)
        return self._made[service]

    async def aget(self, service: Any, stack: AsyncExitStack) -> Any:
        if service not in self._made:
            self._made[service] = await self._amake(service, stack)
        return self._made[service]

    def _make(self, service: Any, stack: ExitStack) -> Any:
        if (provider := self._providers.get(service)) is None:
            if self._of_svcs is None:
                self._of_svcs = self._open()
                stack.callback(self._of_svcs.close)
            return self._of_svcs.get(service)
        found = {name: self.get(need, stack) for name, need in provider.needs.items()}
        if inspect.isgeneratorfunction(provider.factory):
            return stack.enter_context(contextmanager(cast("Callable[..., Iterator[Any]]", provider.factory))(**found))
        return provider.factory(**found)

    async def _amake(self, service: Any, stack: AsyncExitStack) -> Any:
        if (provider := self._providers.get(service)) is None:
            if self._of_svcs is None:
                self._of_svcs = self._open()
                stack.push_async_callback(self._of_svcs.aclose)
            return await self._of_svcs.aget(service)
        found = {name: await self.aget(need, stack) for name, need in provider.needs.items()}
        factory = provider.factory
        if inspect.isasyncgenfunction(factory):
            opened = asynccontextmanager(cast("Callable[..., AsyncIterator[Any]]", factory))(**found)
            return await stack.enter_async_context(opened)
        if inspect.isgeneratorfunction(factory):
            return stack.enter_context(contextmanager(cast("Callable[..., Iterator[Any]]", factory))(**found))
        return await factory(**found) if inspect.iscoroutinefunction(factory) else factory(**found)

    def _open(self) -> "svcs.Container":
        from svcs import Container  # noqa: PLC0415  # an optional dependency

        assert self._registry is not None
        return Container(self._registry)
