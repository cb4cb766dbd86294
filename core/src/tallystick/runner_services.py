"""The methods of a runner that provide services to handlers. `Runner` inherits them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from .runner_callbacks import RunnerCallbacks

if TYPE_CHECKING:
    import svcs

T = TypeVar("T")
FactoryT = TypeVar("FactoryT", bound=Callable[..., object])


class RunnerServices(RunnerCallbacks):
    """Registers providers of services."""

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
