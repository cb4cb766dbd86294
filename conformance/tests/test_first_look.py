"""A backend that cannot even begin is told so in a line, whatever is wrong with it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, NoReturn, cast

import pytest
from tallystick import Backend, ConfigurationError, ContractMismatch
from tallystick_conformance import Target, conform
from tallystick_conformance.first_look import looked_at
from tallystick_memory import MemoryBackend


def _raising(method: str, error: Exception) -> type[Backend]:
    def broken(self: object, *args: object, **options: object) -> NoReturn:
        raise error

    member = property(broken) if method == "capabilities" else broken
    wrapped: object = classmethod(broken) if method in ("from_url", "namespaced") else member  # type: ignore[arg-type]
    return cast("type[Backend]", type("Acme", (MemoryBackend,), {method: wrapped}))


class Half(Backend):
    """Has some of the methods."""

    contract_version: ClassVar[int] = 1

    def close(self) -> None:
        """Do nothing."""


class Strange(MemoryBackend):
    """Says what it can do in a form of its own."""

    @property
    def capabilities(self) -> Any:
        """A dict."""
        return {"durable": True}


class InMilliseconds(MemoryBackend):
    """Declares a number where a timedelta is asked for."""

    @property
    def capabilities(self) -> Any:
        """One is of another type."""
        return replace(super().capabilities, time_precision=cast("Any", 0.001))


class Unversioned(MemoryBackend):
    """Does not say which contract it was written for."""

    contract_version: ClassVar[Any] = None


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        (Half, "Half lacks cancel, capabilities, claim, delete, "),
        (_raising("from_url", ValueError("no port")), "ValueError('no port') was raised, at test_first_look.py:"),
        (_raising("namespaced", KeyError("x")), "KeyError('x') was raised"),
        (_raising("capabilities", RuntimeError("not yet")), "RuntimeError('not yet') was raised"),
        (_raising("setup", NotImplementedError()), "in broken; the kit begins with from_url, namespaced, "),
        (_raising("teardown", NotImplementedError()), "a method is not written yet"),
        (Strange, "capabilities is {'durable': True}, which is no tallystick.Capabilities"),
        (InMilliseconds, "capabilities.time_precision is 0.001, which is no timedelta"),
        (Unversioned, "Unversioned declares no version of the backend contract"),
        (dict, "dict is no subclass of tallystick.Backend"),
    ],
)
def test_a_backend_that_is_not_whole_is_told_in_a_line(backend: type[Backend], said: str) -> None:
    """The error is one of Tallystick, of one line, and says what is missing or which method raised what, where."""
    with pytest.raises(ConfigurationError) as caught:
        conform(Target.from_class(backend, "memory://first-look"))

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda namespace: None, "AttributeError"),
        (lambda namespace: Half(), "abstract"),  # type: ignore[abstract]
        (lambda: None, "TypeError"),
    ],
)
def test_a_function_that_opens_no_backend_is_told_in_a_line(make: Callable[[str], Any], said: str) -> None:
    """What a `make_backend` raises or returns is told like what a class does."""
    with pytest.raises(ConfigurationError, match=said):
        looked_at(Target.of(make))


def test_the_first_error_is_told() -> None:
    """Where setup and teardown both raise, it is setup that is told."""

    class Neither(MemoryBackend):
        def setup(self) -> NoReturn:
            raise NotImplementedError

        def teardown(self) -> NoReturn:
            raise NotImplementedError

    with pytest.raises(ConfigurationError, match="in setup"):
        looked_at(Target.from_class(Neither, "memory://neither"))


def test_another_version_is_a_mismatch() -> None:
    """A class of another version of the contract is refused as the runner refuses it."""
    with pytest.raises(ContractMismatch, match="version 7"):
        looked_at(Target.from_class(type("Newer", (MemoryBackend,), {"contract_version": 7}), "memory://"))
