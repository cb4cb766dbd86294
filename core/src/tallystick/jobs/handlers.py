"""Check that a handler is a function of (payload, ctx) that finishes its work before it returns."""

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, get_args, get_origin, get_type_hints

from ..errors import DefinitionError
from ..messages.safe_repr import safe_repr
from .context import Context

_CONTEXT_NAMES = ("ctx", "context")


def check(kind: str, handler: Callable[..., Any], parameters: str) -> inspect.Parameter:
    """Check a handler of one job, and return its first parameter.

    Raises:
        DefinitionError: it is not a function of two arguments, or does not finish its work before it returns.
    """
    given = check_shape(kind, handler, parameters, has_services=True)
    _check_context(kind, handler, given[1])
    return given[0]


def check_shape(
    kind: str, handler: Callable[..., Any], parameters: str, *, has_services: bool = False
) -> list[inspect.Parameter]:
    """Check that a handler is a function of two arguments and of services, if it has any; return its parameters."""
    shown = f"the handler of {kind!r} is {safe_repr(handler)}"
    if not inspect.isfunction(handler) and not inspect.ismethod(handler):
        raise DefinitionError(f"{shown}; it must be a function: write a def that calls it")
    inner = inspect.unwrap(handler)
    if any(map(inspect.isgeneratorfunction, (handler, inner))) or any(
        map(inspect.isasyncgenfunction, (handler, inner))
    ):
        raise DefinitionError(f"{shown}, a generator; it must return its result, not yield")
    if inspect.iscoroutinefunction(inner) and not inspect.iscoroutinefunction(handler):
        raise DefinitionError(
            f"{shown}, a sync wrapper around a coroutine function; its coroutine would never be awaited. Make the "
            "wrapper an async def that awaits it"
        )
    given = list(inspect.signature(handler).parameters.values())
    services = given[2:] if has_services and all(_is_annotated_service(handler, more) for more in given[2:]) else []
    arguments = given[: len(given) - len(services)]
    if len(arguments) != 2 or any(p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in arguments):
        raise DefinitionError(f"{shown}; it must take two arguments, {parameters}{_hint(given)}")
    return given


def services_of(kind: str, handler: Callable[..., Any]) -> dict[str, Any]:
    """Return the services that a checked handler takes after its context, by parameter."""
    names = list(inspect.signature(handler).parameters)[2:]
    return {name: resolve(kind, handler, name) for name in names}


def needs_of(what: str, factory: Callable[..., Any]) -> dict[str, Any]:
    """Return the services that a provider takes, by parameter.

    Raises:
        DefinitionError: a parameter is not annotated with a service.
    """
    parameters = inspect.signature(factory).parameters.values()
    needs = {parameter.name: resolve(what, factory, parameter.name) for parameter in parameters}
    for parameter in parameters:
        if not is_service(needs[parameter.name]):
            raise DefinitionError(f"the {what} takes {str(parameter)!r}; annotate it with another service or Context")
    return needs


def is_service(annotation: Any) -> bool:
    """Return whether an annotation can be a service: a class that Python does not come with."""
    return isinstance(annotation, type) and annotation is not Any and annotation.__module__ != "builtins"


def _is_annotated_service(handler: Callable[..., Any], parameter: inspect.Parameter) -> bool:
    if parameter.annotation is parameter.empty or parameter.kind not in (
        parameter.POSITIONAL_OR_KEYWORD,
        parameter.KEYWORD_ONLY,
    ):
        return False
    try:
        annotation = _resolved(handler, parameter.name)
    except Exception:  # the annotation may not exist at run time
        return False
    return is_service(annotation) and annotation is not Context


def _hint(given: list[inspect.Parameter]) -> str:
    if any(p.kind is p.VAR_POSITIONAL for p in given):
        return "; a decorator hides its arguments: put functools.wraps(function) on the decorator's wrapper"
    if given and given[0].name == "self":
        return "; register a bound method: runner.job(kind)(service.send)"
    return "; put several values into one payload: a pydantic model, a dataclass, a dict" if len(given) > 1 else ""


def _check_context(kind: str, handler: Callable[..., Any], parameter: inspect.Parameter) -> None:
    """Reject a second parameter that is not meant for the context. Its annotation may not exist at run time."""
    annotation = parameter.annotation
    if annotation is inspect.Parameter.empty:
        fits = parameter.name in _CONTEXT_NAMES or parameter.name.startswith("_")
    else:
        try:
            annotation = _resolved(handler, parameter.name)
        except Exception:  # the type may be imported only for type checkers
            fits = parameter.name in _CONTEXT_NAMES or "Context" in str(annotation)
        else:
            fits = _is_context(annotation)
    if not fits:
        raise DefinitionError(
            f"the handler of {kind!r} takes {str(parameter)!r} as its second argument; that must be the job's context: "
            "write ctx: Context. Put several values into one payload: a pydantic model, a dataclass, a dict"
        )


def _is_context(annotation: Any) -> bool:
    if isinstance(annotation, type):
        return (
            getattr(annotation, "_is_protocol", False)
            or issubclass(Context, annotation)
            or issubclass(annotation, Context)
        )
    members = get_args(annotation)
    return any(map(_is_context, members)) if members and not isinstance(get_origin(annotation), type) else not members


def resolve(kind: str, handler: Callable[..., Any], name: str) -> Any:
    """Return the annotated type of a parameter or of "return"; `Any` without an annotation.

    Raises:
        DefinitionError: the annotation cannot be resolved at run time.
    """
    annotated = (getattr(each, "__annotations__", {}) for each in (handler, inspect.unwrap(handler)))
    if not any(name in annotations for annotations in annotated):  # a builtin function has none
        return Any
    try:
        return _resolved(handler, name)
    except Exception as exc:  # an annotation is an expression, which may raise anything
        raise DefinitionError(
            f"the annotation of {name!r} of the handler of {kind!r} cannot be resolved: {exc}; the type is needed at "
            "run time, so import it outside `if TYPE_CHECKING`, and define it before the handler"
        ) from exc


def _resolved(handler: Callable[..., Any], name: str) -> Any:
    """Resolve one annotation in the scope of the handler's module and of the function that defines the handler."""
    inner = inspect.unwrap(handler)
    annotations = handler.__annotations__ if name in handler.__annotations__ else inner.__annotations__
    one = SimpleNamespace(__annotations__={name: annotations[name]})
    return get_type_hints(one, inner.__globals__, _scope(inner), include_extras=True)[name]


def _scope(handler: Callable[..., Any]) -> dict[str, Any]:
    """Return the local names of the function that is defining the handler; empty at module level."""
    owner, _, _ = handler.__qualname__.rpartition(".<locals>.")
    frame = inspect.currentframe() if owner else None
    while frame is not None and frame.f_code.co_qualname != owner:
        frame = frame.f_back
    return {} if frame is None else frame.f_locals


def never_awaited(kind: str, result: object) -> str:
    """Return the message for a handler that returned an awaitable. Closes a coroutine, to avoid a warning."""
    if inspect.iscoroutine(result):
        result.close()
    return (
        f"the handler of {kind!r} returned {safe_repr(result)}, but never awaited it; make the handler an "
        "async def and await it"
    )
