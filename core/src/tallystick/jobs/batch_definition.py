"""The definition of a kind whose handler works many jobs in one call."""

import inspect
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, Union, get_args, get_origin, overload

from ..errors import DefinitionError, InvalidArgument
from ..user_warnings import checked_kind
from . import handlers
from .context import Context
from .declaration import codecs
from .definition import Definition
from .options import Options

P = TypeVar("P")
R = TypeVar("R")

MOST_JOBS = 10_000
"""The highest `max` of a batch."""

_SIGNATURE = "(payloads, contexts)"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BatchDefinition(Definition[P, R], Generic[P, R]):
    """A definition whose handler takes lists of payloads and contexts.

    A call has at most `max` jobs. `wait` is how long a claimed job waits for others.
    """

    max: int
    wait: timedelta

    if TYPE_CHECKING:

        def __call__(self, payloads: Sequence[P], contexts: Sequence[Context]) -> Any:  # type: ignore[override]
            """Call the handler directly, as in a test."""

    @classmethod
    def of_batch(
        cls, kind: str, function: Callable[..., Any], options: Options, max: int, wait: timedelta
    ) -> "BatchDefinition[Any, Any]":
        """Return the definition of a function of lists of payloads and contexts."""
        given = handlers.check_shape(checked_kind(kind), function, _SIGNATURE)
        if options.isolation is not None:
            raise DefinitionError(
                f"{kind!r} handles batches, and isolation={options.isolation!r} is for handlers of one job; remove it"
            )
        payload = _item_type(kind, function, given[0])
        return BatchDefinition(
            handler=function,
            options=options,
            is_async=inspect.iscoroutinefunction(function),
            max=max,
            wait=wait,
            **codecs(kind, payload, _result_type(kind, function)),
        )


class BatchDecorator(Protocol):
    """Turns a function of lists, sync or async, into a definition with the types of one job."""

    @overload
    def __call__(
        self, function: Callable[[list[P], list[Context]], Coroutine[Any, Any, None]], /
    ) -> BatchDefinition[P, None]: ...
    @overload
    def __call__(
        self, function: Callable[[list[P], list[Context]], Coroutine[Any, Any, Sequence[R | Exception]]], /
    ) -> BatchDefinition[P, R]: ...
    @overload
    def __call__(self, function: Callable[[list[P], list[Context]], None], /) -> BatchDefinition[P, None]: ...
    @overload
    def __call__(
        self, function: Callable[[list[P], list[Context]], Sequence[R | Exception]], /
    ) -> BatchDefinition[P, R]: ...


def check_waits(definitions: Sequence[Definition[Any, Any]], longest: timedelta) -> None:
    """Reject a batch that waits longer than a worker keeps a job without a handler."""
    for definition in definitions:
        if isinstance(definition, BatchDefinition) and definition.wait > longest:
            raise InvalidArgument(
                f"the batches of {definition.kind!r} wait {definition.wait}, and this runner keeps a job without a "
                f"handler for {longest}, a sixth of its lease; lower wait=, or raise the setting lease"
            )


def _item_type(kind: str, function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    annotation = Any if parameter.annotation is parameter.empty else handlers.resolve(kind, function, parameter.name)
    if not _is_sequence(annotation):
        raise DefinitionError(
            f"the handler of {kind!r} takes {str(parameter)!r}; it handles batches, so annotate a list of payloads: "
            f"{parameter.name}: list[int], contexts: list[Context]"
        )
    return get_args(annotation)[0]


def _result_type(kind: str, function: Callable[..., Any]) -> Any:
    """Return the type of one result: the items of the returned sequence that are not exceptions."""
    annotation = handlers.resolve(kind, function, "return")
    if annotation in (Any, None, NoneType):
        return annotation
    if not _is_sequence(annotation):
        raise DefinitionError(
            f"the handler of {kind!r} returns {annotation!r}; it handles batches, so it must return a list with a "
            "result or an exception for each job: list[int | Exception], or None"
        )
    item = get_args(annotation)[0]
    members = get_args(item) if get_origin(item) in (Union, UnionType) else (item,)
    results = [member for member in members if not (isinstance(member, type) and issubclass(member, BaseException))]
    return reduce(or_, results) if results else None


def _is_sequence(annotation: Any) -> bool:
    return get_origin(annotation) in (list, Sequence) and len(get_args(annotation)) == 1
