"""Check, before the first clause, that the backend can be tested at all; if not, report why in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import get_type_hints

from tallystick import Backend, Capabilities, ConfigurationError, TallystickError
from tallystick.hooks.plugins import check_contract, installed

from .exceptions import origin
from .target import Target

_NEEDED = "from_url, namespaced, capabilities, setup, teardown and close"
"""The methods that the kit needs before it can test anything."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The tested backend. `distribution` and `version` are those of the plugin that provides it, if any."""

    target: str
    capabilities: Capabilities
    distribution: str | None = None
    version: str | None = None
    server_version: str | None = None
    url: str | None = field(default=None, repr=False)
    """The URL as passed in; reports must redact it."""


def looked_at(target: Target) -> Subject:
    """Check that the backend can be tested, by creating and removing one store; describe the backend.

    Raises:
        ConfigurationError: A method of the backend is missing, raises an unexpected exception or returns a value of the
            wrong type.
        TallystickError: The store cannot be opened or set up.
    """
    _require_complete(target.backend)
    try:
        with _errors_in_one_line(target.name), target.fresh() as (_, backend):
            capabilities = backend.capabilities
            _require_typed(capabilities)
            server = getattr(backend, "server_version", None)
            server = server() if callable(server) else server
    except KeyboardInterrupt as interrupt:
        target.clean(interrupt)
        raise
    finally:
        target.clean()
    offer = next((offer for offer in installed().offers if offer.is_for(target.backend)), None)
    return Subject(
        target.name,
        capabilities,
        offer.distribution if offer else None,
        offer.version if offer else None,
        None if server is None else str(server),
        target.url,
    )


def _require_complete(backend: type[Backend] | None) -> None:
    """Reject an incomplete class before it is used; the class behind a `make_backend` is not known yet."""
    if backend is None:
        return
    if not issubclass(backend, Backend):
        raise ConfigurationError(f"{backend.__qualname__} is not a subclass of tallystick.Backend")
    if missing := sorted(getattr(backend, "__abstractmethods__", ())):
        raise ConfigurationError(
            f"{backend.__qualname__} does not implement {', '.join(missing)}; let methods that you have not "
            "written yet raise NotImplementedError, so that the kit can test the others"
        )
    check_contract(backend, backend.__qualname__)


def _require_typed(capabilities: object) -> None:
    if not isinstance(capabilities, Capabilities):
        raise ConfigurationError(f"capabilities is {capabilities!r}, not a tallystick.Capabilities")
    kinds = get_type_hints(Capabilities)
    for name in (declared.name for declared in fields(Capabilities)):
        value = getattr(capabilities, name)
        if not isinstance(value, kinds[name]):
            kind = kinds[name].__name__
            raise ConfigurationError(f"capabilities.{name} is {value!r}, not a {kind}")


@contextmanager
def _errors_in_one_line(name: str) -> Iterator[None]:
    try:
        yield
    except TallystickError:
        raise
    except NotImplementedError as exc:
        why = f"NotImplementedError was raised {origin(exc)}; the kit needs {_NEEDED}"
        raise ConfigurationError(f"{name} cannot be tested: {why}") from exc
    except Exception as exc:
        raise ConfigurationError(f"{name} cannot be tested: {exc!r} was raised {origin(exc)}") from exc
