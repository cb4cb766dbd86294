"""Invalid definitions of jobs."""

import functools
from typing import Any

import pytest
from tallystick import (
    Context,
    Definition,
    DefinitionError,
    Job,
    Options,
    Runner,
    UnknownKind,
)


def test_class_without_kind() -> None:
    """A class without a kind is rejected, and the error shows how to set one."""

    class Kindless(Job[None]):
        def work(self, ctx: Context) -> None: ...

    with pytest.raises(DefinitionError, match=r'Kindless has no kind.*kind = "'):
        Definition.of_class(Kindless)


def two_arguments(payload: int, ctx: Context) -> None: ...


class Callable2:
    """An object with an async `__call__`."""

    async def __call__(self, payload: int, ctx: Context) -> int:
        """Return the payload."""
        return payload


@pytest.mark.parametrize("handler", [functools.partial(two_arguments), Callable2(), 7])
def test_odd_handler(handler: Any) -> None:
    """A callable that is not a function is either defined, async if its `__call__` is, or rejected."""
    try:
        definition = Definition.of_function("odd", handler, Options())
    except DefinitionError:
        return
    assert definition.is_async is isinstance(handler, Callable2)


def generator(payload: int, ctx: Context) -> Any:
    """Yield."""
    yield payload


async def async_generator(payload: int, ctx: Context) -> Any:
    """Yield."""
    yield payload


@pytest.mark.parametrize("handler", [generator, async_generator])
def test_generator(handler: Any) -> None:
    """A generator is rejected as a handler, because a call would not run it."""
    with pytest.raises(DefinitionError):
        Definition.of_function("generate", handler, Options())


def test_work_without_context() -> None:
    """A class whose `work` does not take the context is rejected at its registration."""

    class Forgetful(Job[None]):
        kind = "forgetful"

        def work(self) -> None: ...  # type: ignore[override]  # wrong on purpose

    with pytest.raises(DefinitionError):
        Definition.of_class(Forgetful)


def test_unregistered_subclass(runner: Runner) -> None:
    """A subclass of a registered class is not registered: it is rejected, so that its fields are not dropped."""

    class Parent(Job[None]):
        kind = "parent"
        number: int = 0

        def work(self, ctx: Context) -> None: ...

    class Child(Parent):
        more: int = 0

    runner.register(Parent)
    with pytest.raises(UnknownKind):
        runner.enqueue(Child(number=1, more=2))
