"""The callbacks of a runner: when they are called, for which kinds, and with which arguments."""

from collections.abc import Callable, Iterable
from contextvars import copy_context
from enum import StrEnum
from inspect import Parameter, Signature, iscoroutinefunction, signature
from typing import Any, NamedTuple, Protocol, assert_never

from ..contract.outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from ..contract.records import Record
from ..contract.validation import name
from ..errors import InvalidArgument
from ..interrupts import from_signal
from ..jobs.context import Context
from ..jobs.declaration import Declaration
from ..jobs.job_base import Job
from ..messages.safe_logging import safe_logger
from ..messages.safe_repr import safe_repr

logger = safe_logger("tallystick.observers")

Kind = str | Declaration[Any, Any] | type[Job[Any]]
"""A kind of job: its name, its definition, or its class."""


class CallbackWithException(Protocol):
    """A callback that also takes the handler's exception."""

    def __call__(self, record: Record, outcome: Outcome, /, *, exception: BaseException | None) -> object:
        """Receive the record as it was claimed, the recorded outcome, and the exception, or None."""


Callback = Callable[[Record, Outcome], object] | CallbackWithException
"""Receives the record as it was claimed and the recorded outcome. `exception` is passed if it has that parameter."""

EnqueuedCallback = Callable[[Record], object]
"""Receives the stored record."""

StartedCallback = Callable[[Context], object]
"""Receives the context of the handler."""


class Event(StrEnum):
    """When a callback is called."""

    ENQUEUED = "enqueued"
    STARTED = "started"
    RETRIED = "retried"
    COMPLETED = "completed"
    DISCARDED = "discarded"
    CANCELLED = "cancelled"

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the positional arguments of a callback."""
        own = {Event.ENQUEUED: ("record",), Event.STARTED: ("ctx",)}
        return own.get(self, ("record", "outcome"))

    @staticmethod
    def of(outcome: Outcome) -> "Event | None":
        """Return the event of an outcome; None for a release, which no callback reports."""
        match outcome:
            case Complete():
                return Event.COMPLETED
            case Retry():
                return Event.RETRIED
            case Discard():
                return Event.DISCARDED
            case Cancel():
                return Event.CANCELLED
            case Release():
                return None
            case _:
                assert_never(outcome)


class _Registered(NamedTuple):
    callback: Callable[..., object]
    takes_exception: bool
    kinds: frozenset[str] | None


class Callbacks:
    """The callbacks of one runner by event, in the order of their registration."""

    def __init__(self) -> None:
        self._by_event: dict[Event, list[_Registered]] = {}

    def add(self, event: Event, callback: Callable[..., object], kind: Kind | None) -> None:
        """Add a callback for jobs of a kind, or of all kinds.

        Raises:
            InvalidArgument: the callback does not take the arguments of the event, or is an async function.
        """
        registered = _Registered(callback, _takes_exception(callback, event), None if kind is None else _names(kind))
        self._by_event.setdefault(event, []).append(registered)

    def call(self, event: Event, kind: str, *arguments: object, exception: BaseException | None = None) -> None:
        """Call the callbacks of an event, each in a context of its own, so that context variables do not leak."""
        for callback, takes_exception, kinds in self._by_event.get(event, ()):
            if kinds is None or kind in kinds:
                more = {"exception": exception} if takes_exception else {}
                copy_context().run(call, callback, *arguments, **more)

    def call_for_ends(self, ends: Iterable[tuple[Record, Outcome, BaseException | None]]) -> None:
        """Call the callbacks for recorded outcomes."""
        for record, outcome, exception in ends:
            if (event := Event.of(outcome)) is not None and event in self._by_event:
                self.call(event, record.kind, record, outcome, exception=exception)


def call(listener: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call an observer. Log its exception, and return None."""
    try:
        return listener(*args, **kwargs)
    except BaseException as exc:
        if from_signal(exc):
            raise
        logger.exception("an observer raised an exception: %s", safe_repr(listener))
        return None


def _names(kind: Kind) -> frozenset[str]:
    if isinstance(kind, Declaration):
        return frozenset((kind.kind, *kind.options.aliases))
    if isinstance(kind, type) and issubclass(kind, Job):
        return frozenset((kind.kind, *kind.aliases))
    if isinstance(kind, str):
        return frozenset((name(kind, "kind"),))
    raise InvalidArgument(f"kind is {safe_repr(kind)}; it must be the name of a kind, its definition or its class")


def _takes_exception(callback: Callable[..., object], event: Event) -> bool:
    """Return whether a callback takes `exception`. Rejects a callable that does not take the arguments of the event."""
    parameters = _parameters(callback, event)
    with_exception = len(event.arguments) > 1 and "exception" in parameters
    more = {"exception": None} if with_exception else {}
    try:
        Signature(list(parameters.values())).bind(*event.arguments, **more)
    except TypeError as exc:
        raise _not_a_callback(callback, event) from exc
    return bool(more)


def _parameters(callback: Callable[..., object], event: Event) -> dict[str, Parameter]:
    if iscoroutinefunction(callback) or not callable(callback):
        raise _not_a_callback(callback, event)
    try:
        return dict(signature(callback).parameters)
    except (TypeError, ValueError):  # some functions written in C have no signature
        return {"args": Parameter("args", Parameter.VAR_POSITIONAL)}


def _not_a_callback(callback: object, event: Event) -> InvalidArgument:
    arguments = ", ".join(event.arguments)
    also = f" or of ({arguments}, exception)" if len(event.arguments) > 1 else ""
    return InvalidArgument(
        f"{safe_repr(callback)} cannot be a callback; it must be a sync function of ({arguments}){also}"
    )
