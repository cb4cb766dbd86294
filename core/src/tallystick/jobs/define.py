"""Define jobs at module level, apart from any runner, and declare kinds whose handlers are elsewhere."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar, cast, overload

from typing_extensions import Unpack

from ..contract import validation
from ..errors import DefinitionError
from ..messages.safe_repr import safe_repr
from ..user_warnings import checked_kind
from . import misuse
from .batch_definition import MOST_JOBS, BatchDecorator, BatchDefinition
from .declaration import Declaration
from .definition import Definition, FunctionDecorator, HandlerDecorator
from .options import OptionArgs, read_options

DEFAULT_WAIT = timedelta(milliseconds=200)
"""How long a claimed job waits until its batch is full, unless you set `wait`."""

P = TypeVar("P")
R = TypeVar("R")


def job(kind: str = misuse.MISSING, **options: Unpack[OptionArgs]) -> FunctionDecorator:
    """Define a function of (payload, ctx) as a job: `@job("reports:generate", queue="reports")`.

    It is like `Runner.job`, but belongs to no runner. A runner takes it with `runner.register(generate)`, or with
    `runner.include(module)`.

    Raises:
        DefinitionError: the function or an option is not valid.
    """
    misuse.check_kind(kind, "job")
    read = read_options(kind, {**options})
    return cast("FunctionDecorator", lambda function: Definition.of_function(kind, function, read))


def raw(kind: str = misuse.MISSING, **options: Unpack[OptionArgs]) -> HandlerDecorator[bytes, bytes | None]:
    """Define a function of (bytes, ctx) that returns bytes or None. Nothing is validated. See `job`."""
    misuse.check_kind(kind, "raw")
    read = read_options(kind, {**options})
    return cast("HandlerDecorator[bytes, bytes | None]", lambda function: Definition.raw(kind, function, read))


def batch(
    kind: str = misuse.MISSING, *, max: int = 100, wait: timedelta = DEFAULT_WAIT, **options: Unpack[OptionArgs]
) -> BatchDecorator:
    """Define a function that works many jobs in one call. See `Runner.batch` and `job`."""
    misuse.check_kind(kind, "batch")
    validation.within(max, 1, MOST_JOBS, "max")
    validation.not_negative(wait, "wait")
    read = read_options(kind, {**options})
    return cast("BatchDecorator", lambda function: BatchDefinition.of_batch(kind, function, read, max, wait))


@overload
def declare(kind: str, payload: type[P], result: type[R], **options: Unpack[OptionArgs]) -> Declaration[P, R]: ...
@overload
def declare(kind: str, payload: type[P], result: None, **options: Unpack[OptionArgs]) -> Declaration[P, None]: ...
@overload
def declare(kind: str, payload: type[P], **options: Unpack[OptionArgs]) -> Declaration[P, Any]: ...
def declare(kind: str, payload: Any, result: Any = Any, **options: Unpack[OptionArgs]) -> Declaration[Any, Any]:
    """Declare a kind by the types of its payload and its result, without a handler.

    With `send = declare("emails:send", Email, Receipt)`, a program can enqueue `send.job(email)` without importing the
    handler, and without registering it. The worker imports the declaration and defines its handler with `handles`.

    Args:
        kind: The name of the job in the store.
        payload: The type of the payload: any type that pydantic supports.
        result: The type of the result. Without it, results are not validated.
        options: The options of a kind. The handler can override those that only the worker uses, such as `timeout`.

    Raises:
        DefinitionError: a type or an option is not valid.
    """
    misuse.check_kind(kind, "declare")
    checked_kind(kind)
    return Declaration[Any, Any].of_types(kind, payload, result, read_options(kind, {**options}))


def handles(declaration: Declaration[P, R], **options: Unpack[OptionArgs]) -> HandlerDecorator[P, R]:
    """Define a function as the handler of a declared kind: `@handles(send)`. Options override the declared ones.

    Raises:
        DefinitionError: the function or an option is not valid.
    """
    if not isinstance(declaration, Declaration) or isinstance(declaration, Definition):
        raise DefinitionError(
            f"{safe_repr(declaration)} cannot have a handler; write @handles(send) for a declaration "
            'send = declare("emails:send", Email). A Job class without work gets its handler from a subclass'
        )
    given: dict[str, Any] = {**options}
    read_options(declaration.kind, given)
    read = replace(declaration.options, **given)
    return cast("HandlerDecorator[P, R]", lambda function: Definition.of_declaration(declaration, function, read))
