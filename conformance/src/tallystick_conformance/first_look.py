"""A look at the backend before anything is tested: one that cannot even begin is told so in a line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import get_type_hints

from tallystick import Backend, Capabilities, ConfigurationError, TallystickError
from tallystick.plugins import check_contract, installed

from .raised import origin
from .report import Subject
from .target import Target

_NEEDED = "from_url, namespaced, capabilities, setup, teardown and close"
"""What the kit cannot begin without."""


def looked_at(target: Target) -> Subject:
    """Make a store, remove it again, and return what is tested.

    Raises:
        ConfigurationError: The backend is not whole: a method is missing, raises what it should not, or returns what is
            not of its type.
        TallystickError: The store cannot be opened or set up.
    """
    _require_whole(target.backend)
    try:
        with _told_in_a_line(target.name), target.fresh() as (_, backend):
            capabilities = backend.capabilities
            _require_typed(capabilities)
            server = getattr(backend, "server_version", None)
            server = server() if callable(server) else server
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


def _require_whole(backend: type[Backend] | None) -> None:
    """Refuse a class before it is used; one that a `make_backend` opens is known only once it has."""
    if backend is None:
        return
    if not issubclass(backend, Backend):
        raise ConfigurationError(f"{backend.__qualname__} is no subclass of tallystick.Backend")
    if missing := sorted(getattr(backend, "__abstractmethods__", ())):
        raise ConfigurationError(
            f"{backend.__qualname__} lacks {', '.join(missing)}; a method that is not written yet may raise "
            "NotImplementedError, so that the others can be tested"
        )
    check_contract(backend, backend.__qualname__)


def _require_typed(capabilities: object) -> None:
    if not isinstance(capabilities, Capabilities):
        raise ConfigurationError(f"capabilities is {capabilities!r}, which is no tallystick.Capabilities")
    kinds = get_type_hints(Capabilities)
    for field in fields(Capabilities):
        value = getattr(capabilities, field.name)
        if not isinstance(value, kinds[field.name]):
            kind = kinds[field.name].__name__
            raise ConfigurationError(f"capabilities.{field.name} is {value!r}, which is no {kind}")


@contextmanager
def _told_in_a_line(name: str) -> Iterator[None]:
    try:
        yield
    except TallystickError:
        raise
    except NotImplementedError as exc:
        why = f"a method is not written yet, {origin(exc)}; the kit begins with {_NEEDED}"
        raise ConfigurationError(f"{name} cannot be tested: {why}") from exc
    except Exception as exc:
        raise ConfigurationError(f"{name} cannot be tested: {exc!r} was raised, {origin(exc)}") from exc
