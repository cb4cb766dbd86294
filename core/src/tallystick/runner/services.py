"""The methods of a runner that provide services and context variables to handlers. `Runner` inherits them."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, overload

from .lifecycle import Lifecycle

if TYPE_CHECKING:
    import svcs

T = TypeVar("T")
FactoryT = TypeVar("FactoryT", bound=Callable[..., object])


class RunnerServices(Lifecycle):
    """Registers providers of services, and the context variables that jobs carry."""

    def provide(self, service: type[T]) -> Callable[[FactoryT], FactoryT]:
        """Register a function that makes a service for each attempt whose handler takes it: `@runner.provide(Mailer)`.

        A generator function yields the service, and closes it after the handler, in the reverse order of the making. If
        the handler raises, the exception is raised at the `yield`. The function can take other services and the context
        of the job. Only async handlers can use async functions. A later provider replaces an earlier one, as in a test.

        Raises:
            InvalidArgument: the service is not a class, or the provider is not a function.
            DefinitionError: a parameter of the function is not annotated with a service.
        """

        def add(factory: FactoryT) -> FactoryT:
            self._services.provide(service, factory)
            return factory

        return add

    def use_svcs(self, registry: "svcs.Registry") -> None:
        """Take services without a provider from a registry of the library `svcs` (extra `svcs`).

        Each attempt has a container of its own, which is closed after the handler.
        """
        self._services.use_svcs(registry)

    @overload
    def carry(self, variable: ContextVar[str] | ContextVar[str | None], *, key: str | None = None) -> None: ...
    @overload
    def carry(
        self, variable: ContextVar[T], *, key: str | None = None, dump: Callable[[T], str], load: Callable[[str], T]
    ) -> None: ...
    def carry(
        self,
        variable: ContextVar[Any],
        *,
        key: str | None = None,
        dump: Callable[[Any], str] | None = None,
        load: Callable[[str], Any] | None = None,
    ) -> None:
        """Carry a context variable, such as the locale or the tenant, from the enqueue to the handler.

        Each job that this runner enqueues has the value in its meta, if the variable is set and is not None. A worker
        of a runner that carries the variable sets it around the handler. The jobs of schedules have no value, and a
        batch handler reads `ctx.meta` instead. A value in `meta=` has precedence.

        Args:
            variable: Both runners, of producer and worker, must carry it. An enqueue in the handler passes it on.
            key: The key in the meta; by default the name of the variable.
            dump: Returns the value as text. Without it, the value is a string.
            load: Returns the value of the text. If it raises, the attempt fails.

        Raises:
            InvalidArgument: `variable` is no context variable, or another one has this key.
        """
        self._observers.carry(variable, key, dump, load)
