"""A backend that cannot be tested is reported in one line."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, NoReturn, cast

import pytest
from tallystick import Backend, ConfigurationError, ContractMismatch
from tallystick_conformance import Target, conform
from tallystick_conformance.subject.first_look import looked_at
from tallystick_memory import MemoryBackend


def _raising(method: str, error: Exception) -> type[Backend]:
    def broken(self: object, *args: object, **options: object) -> NoReturn:
        raise error

    member = property(broken) if method == "capabilities" else broken
    wrapped: object = classmethod(broken) if method in ("from_url", "namespaced") else member  # type: ignore[arg-type]
    return cast("type[Backend]", type("Acme", (MemoryBackend,), {method: wrapped}))


class Half(Backend):
    """Implements only some of the methods."""

    contract_version: ClassVar[int] = 2

    def close(self) -> None:
        """Do nothing."""


class Strange(MemoryBackend):
    """Declares its capabilities as a dict."""

    @property
    def capabilities(self) -> Any:
        """Return a dict."""
        return {"durable": True}


class InMilliseconds(MemoryBackend):
    """Declares a number instead of a timedelta."""

    @property
    def capabilities(self) -> Any:
        """Return capabilities with one field of the wrong type."""
        return replace(super().capabilities, time_precision=cast("Any", 0.001))


class Unversioned(MemoryBackend):
    """Does not name its contract version."""

    contract_version: ClassVar[Any] = None


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        (Half, "Half does not implement advance, beat, cancel, capabilities, "),
        (_raising("from_url", ValueError("no port")), "ValueError('no port') was raised at test_first_look.py:"),
        (_raising("namespaced", KeyError("x")), "KeyError('x') was raised"),
        (_raising("capabilities", RuntimeError("not yet")), "RuntimeError('not yet') was raised"),
        (_raising("setup", NotImplementedError()), "in broken; the kit needs from_url, namespaced, "),
        (_raising("teardown", NotImplementedError()), "NotImplementedError was raised at"),
        (Strange, "capabilities is {'durable': True}, not a tallystick.Capabilities"),
        (InMilliseconds, "capabilities.time_precision is 0.001, not a timedelta"),
        (Unversioned, "Unversioned declares no version of the backend contract"),
        (dict, "dict is not a subclass of tallystick.Backend"),
    ],
)
def test_an_incomplete_backend_is_reported_in_one_line(backend: type[Backend], message: str) -> None:
    """The error is a one-line ConfigurationError that names the missing method, or the exception and its location."""
    with pytest.raises(ConfigurationError) as caught:
        conform(Target.from_class(backend, "memory://first-look"))

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda namespace: None, "AttributeError"),
        (lambda namespace: Half(), "abstract"),  # type: ignore[abstract]
        (lambda: None, "TypeError"),
    ],
)
def test_a_function_that_opens_no_backend_is_reported_in_one_line(make: Callable[[str], Any], message: str) -> None:
    """The exceptions and results of a `make_backend` are reported like those of a class."""
    with pytest.raises(ConfigurationError, match=message):
        looked_at(Target.of(make))


def test_the_first_error_is_reported() -> None:
    """If setup and teardown both raise, the error of setup is reported."""

    class Neither(MemoryBackend):
        def setup(self) -> NoReturn:
            raise NotImplementedError

        def teardown(self) -> NoReturn:
            raise NotImplementedError

    with pytest.raises(ConfigurationError, match="in setup"):
        looked_at(Target.from_class(Neither, "memory://neither"))


def test_another_version_is_a_mismatch() -> None:
    """The kit rejects a class of another contract version, like the runner."""
    with pytest.raises(ContractMismatch, match="version 7"):
        looked_at(Target.from_class(type("Newer", (MemoryBackend,), {"contract_version": 7}), "memory://"))
